//! JSON as fast as it can be copied: for shapes of which there are hundreds of thousands.
//!
//! `serde_json` looks through every name of a field for what has to be escaped, each time. Here the names of fields and of
//! variants, which are Rust's own identifiers or as plain, are copied as they are; all else is as there, and a property test
//! holds it to that. Only what the shapes of this program hold is known: no floats, no bytes, no enums with fields.

use std::fmt::{self, Display, Write};

use serde::ser::{self, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

/// JSON under way. Its room is kept when it begins anew.
#[derive(Debug, Default)]
pub struct Json {
    /// What is written, and room behind it.
    bytes: Vec<u8>,
    len: usize,
}

impl Json {
    /// Adds `what`. Fails where it holds something that no shape of this program does.
    pub fn append(&mut self, what: &impl Serialize) -> Result<(), Unfit> {
        self.len = what.serialize(Lean { bytes: &mut self.bytes, at: self.len })?;
        Ok(())
    }

    /// Adds what is JSON already.
    pub fn push(&mut self, json: &[u8]) {
        self.len = put(json, &mut self.bytes, self.len);
    }

    /// What is written.
    pub fn written(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.len).unwrap_or_default()
    }

    /// Begins anew.
    pub const fn clear(&mut self) {
        self.len = 0;
    }
}

/// A value of a kind that the shapes of this program do not have.
#[derive(Debug, thiserror::Error)]
#[error("cannot put {0} into JSON")]
pub struct Unfit(Box<str>);

impl ser::Error for Unfit {
    fn custom<T: Display>(what: T) -> Self {
        Self(what.to_string().into())
    }
}

impl From<Unfit> for std::io::Error {
    fn from(unfit: Unfit) -> Self {
        Self::other(unfit)
    }
}

/// Where JSON is added: at a place in `bytes`. Each value returns where it ends, and there the next begins.
struct Lean<'a> {
    bytes: &'a mut Vec<u8>,
    at: usize,
}

/// A list, a map or a struct under way.
struct Compound<'a> {
    bytes: &'a mut Vec<u8>,
    at: usize,
    open: u8,
    close: u8,
    /// What stands before the next item: `open` before the first, so that with each item as much is added.
    lead: u8,
}

impl<'a> Compound<'a> {
    const fn new(Lean { bytes, at }: Lean<'a>, open: u8, close: u8) -> Self {
        Self { bytes, at, open, close, lead: open }
    }

    /// Adds what stands before the next item, and the item.
    fn item<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Unfit> {
        self.at = put(&[self.lead], self.bytes, self.at);
        self.lead = b',';
        self.value(item)
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "each field is several such steps")]
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.at = value.serialize(Lean { bytes: self.bytes, at: self.at })?;
        Ok(())
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "each field is several such steps")]
    fn close(self) -> usize {
        if self.lead == self.open {
            put(&[self.open, self.close], self.bytes, self.at)
        } else {
            put(&[self.close], self.bytes, self.at)
        }
    }
}

/// Room for `len` bytes at a place.
#[inline(always)]
#[allow(clippy::inline_always, reason = "each field is several such steps")]
fn room(bytes: &mut Vec<u8>, at: usize, len: usize) -> &mut [u8] {
    if bytes.len() < at + len {
        grow(bytes, at + len);
    }
    &mut bytes[at..at + len]
}

#[cold]
fn grow(bytes: &mut Vec<u8>, len: usize) {
    bytes.resize(len.next_power_of_two(), 0);
}

/// Adds what is JSON already; where it ends.
#[inline(always)]
#[allow(clippy::inline_always, reason = "each field is several such steps")]
fn put(json: &[u8], bytes: &mut Vec<u8>, at: usize) -> usize {
    room(bytes, at, json.len()).copy_from_slice(json);
    at + json.len()
}

/// Whether a byte cannot stand in a JSON string as it is (RFC 8259 §7).
const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Whether a text has to be escaped. All of it is looked at, eight bytes at a time: hardly any text holds something special.
#[inline]
fn has_special(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    let rest = match text.last_chunk::<8>() {
        Some(last) => u64::from_ne_bytes(*last),
        None => rest.iter().fold(BLANKS, |word, byte| word << 8 | u64::from(*byte)),
    };
    words.iter().fold(specials(rest), |found, word| found | specials(u64::from_ne_bytes(*word))) != 0
}

/// A byte, multiplied by this, stands in all eight.
const EACH: u64 = u64::MAX / 0xff;
const BLANKS: u64 = EACH * b' ' as u64;

/// Not 0 if and only if one of the eight bytes of `word` is special.
const fn specials(word: u64) -> u64 {
    const fn below(word: u64, least: u8) -> u64 {
        // A byte that is too small borrows, which sets its highest bit where it was not set. A byte above it may be taken for too
        // small by that as well, never one below it or one alone.
        word.wrapping_sub(EACH * least as u64) & !word
    }
    let quote = below(word ^ (EACH * b'"' as u64), 1);
    let backslash = below(word ^ (EACH * b'\\' as u64), 1);
    (below(word, 0x20) | quote | backslash) & (EACH << 7)
}

/// Adds what stands between quotation marks.
#[inline]
fn pieces(text: &str, bytes: &mut Vec<u8>, at: usize) -> usize {
    if has_special(text.as_bytes()) { escaped(text, bytes, at) } else { put(text.as_bytes(), bytes, at) }
}

/// Adds a text that holds nothing special.
#[inline]
fn quoted(text: &str, bytes: &mut Vec<u8>, at: usize) -> usize {
    let len = text.len() + 2;
    let place = room(bytes, at, len);
    place[0] = b'"';
    place[1..len - 1].copy_from_slice(text.as_bytes());
    place[len - 1] = b'"';
    at + len
}

#[cold]
fn escaped(text: &str, bytes: &mut Vec<u8>, at: usize) -> usize {
    text.bytes().fold(at, |at, byte| match byte {
        b'"' | b'\\' => put(&[b'\\', byte], bytes, at),
        b'\n' => put(b"\\n", bytes, at),
        b'\r' => put(b"\\r", bytes, at),
        b'\t' => put(b"\\t", bytes, at),
        8 => put(b"\\b", bytes, at),
        12 => put(b"\\f", bytes, at),
        _ if is_special(byte) => put(format!("\\u{byte:04x}").as_bytes(), bytes, at),
        _ => put(&[byte], bytes, at),
    })
}

/// Takes what displays itself, piece by piece.
struct Pieces<'a>(Lean<'a>);

impl Write for Pieces<'_> {
    #[inline]
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.0.at = pieces(piece, self.0.bytes, self.0.at);
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident: $number:ty),*) => {$(
        #[inline]
        fn $method(self, number: $number) -> Result<usize, Unfit> {
            Ok(put(itoa::Buffer::new().format(number).as_bytes(), self.bytes, self.at))
        }
    )*};
}

macro_rules! unfit {
    ($($method:ident($($argument:ty),*) -> $result:ty = $what:literal;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<$result, Unfit> {
            Err(Unfit($what.into()))
        }
    )*};
}

impl<'a> Serializer for Lean<'a> {
    type Ok = usize;
    type Error = Unfit;
    type SerializeSeq = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeTuple = Impossible<usize, Unfit>;
    type SerializeTupleStruct = Impossible<usize, Unfit>;
    type SerializeTupleVariant = Impossible<usize, Unfit>;
    type SerializeStructVariant = Impossible<usize, Unfit>;

    numbers!(
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64
    );

    unfit! {
        serialize_f32(f32) -> usize = "a float";
        serialize_f64(f64) -> usize = "a float";
        serialize_bytes(&[u8]) -> usize = "bytes";
        serialize_tuple(usize) -> Self::SerializeTuple = "a tuple";
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct = "a tuple";
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant = "an enum's fields";
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant = "an enum's fields";
    }

    fn serialize_bool(self, value: bool) -> Result<usize, Unfit> {
        Ok(put(if value { b"true" } else { b"false" }, self.bytes, self.at))
    }

    fn serialize_char(self, value: char) -> Result<usize, Unfit> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Result<usize, Unfit> {
        let Self { bytes, at } = self;
        if has_special(text.as_bytes()) {
            let at = put(b"\"", bytes, at);
            let at = escaped(text, bytes, at);
            Ok(put(b"\"", bytes, at))
        } else {
            Ok(quoted(text, bytes, at))
        }
    }

    fn collect_str<T: Display + ?Sized>(self, what: &T) -> Result<usize, Unfit> {
        let Self { bytes, at } = self;
        let at = put(b"\"", bytes, at);
        let mut pieces = Pieces(Lean { bytes, at });
        write!(pieces, "{what}").map_err(|_| Unfit("what cannot be displayed".into()))?;
        let Lean { bytes, at } = pieces.0;
        Ok(put(b"\"", bytes, at))
    }

    #[inline]
    fn serialize_none(self) -> Result<usize, Unfit> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<usize, Unfit> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<usize, Unfit> {
        Ok(put(b"null", self.bytes, self.at))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<usize, Unfit> {
        self.serialize_unit()
    }

    /// A variant's name is as plain as a field's.
    #[inline]
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<usize, Unfit> {
        Ok(quoted(variant, self.bytes, self.at))
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<usize, Unfit> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<usize, Unfit> {
        Err(Unfit("an enum's field".into()))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a>, Unfit> {
        Ok(Compound::new(self, b'[', b']'))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'a>, Unfit> {
        Ok(Compound::new(self, b'{', b'}'))
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Compound<'a>, Unfit> {
        Ok(Compound::new(self, b'{', b'}'))
    }
}

impl SerializeStruct for Compound<'_> {
    type Ok = usize;
    type Error = Unfit;

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "so that the name's length is known where it is copied")]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unfit> {
        // The name is known when this is compiled, so that no length has to be looked at where it is copied.
        let len = name.len() + 4;
        let place = room(self.bytes, self.at, len);
        place[0] = self.lead;
        place[1] = b'"';
        place[2..len - 2].copy_from_slice(name.as_bytes());
        place[len - 2] = b'"';
        place[len - 1] = b':';
        self.lead = b',';
        self.at += len;
        self.value(value)
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "so that it is known that something was added")]
    fn end(self) -> Result<usize, Unfit> {
        Ok(self.close())
    }
}

impl SerializeSeq for Compound<'_> {
    type Ok = usize;
    type Error = Unfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.item(value)
    }

    fn end(self) -> Result<usize, Unfit> {
        Ok(self.close())
    }
}

impl SerializeMap for Compound<'_> {
    type Ok = usize;
    type Error = Unfit;

    /// Keys of JSON are strings, and so are those of the shapes here.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unfit> {
        self.item(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.at = put(b":", self.bytes, self.at);
        self.value(value)
    }

    fn end(self) -> Result<usize, Unfit> {
        Ok(self.close())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use serde::Serialize;

    use super::{Json, has_special, is_special};

    #[derive(Debug, Serialize)]
    struct Inner {
        text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        perhaps: Option<u64>,
    }

    #[derive(Debug, Serialize)]
    struct Shape {
        number: u64,
        a_name_that_is_longer_than_those_of_the_shapes: u16,
        small: u8,
        negative: i64,
        is_so: bool,
        letter: char,
        nothing: Option<()>,
        inner: Inner,
        list: Vec<String>,
        map: BTreeMap<String, u64>,
        displayed: Displayed,
    }

    #[derive(Debug)]
    struct Displayed(String);

    impl Serialize for Displayed {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&self.0)
        }
    }

    fn shape() -> impl Strategy<Value = Shape> {
        let text = || prop_oneof![any::<String>(), "[ -~\u{0}-\u{20}\"\\\\]{0,9}"];
        let inner = (text(), any::<Option<u64>>()).prop_map(|(text, perhaps)| Inner { text, perhaps });
        let lists = (prop::collection::vec(text(), 0..3), prop::collection::btree_map(text(), any::<u64>(), 0..3));
        let numbers = (any::<u64>(), any::<u8>(), any::<i64>(), any::<bool>(), any::<char>());
        (numbers, inner, lists, text()).prop_map(
            |((number, small, negative, is_so, letter), inner, (list, map), text)| Shape {
                number,
                a_name_that_is_longer_than_those_of_the_shapes: 7,
                small,
                negative,
                is_so,
                letter,
                nothing: None,
                inner,
                list,
                map,
                displayed: Displayed(text),
            },
        )
    }

    proptest! {
        #[test]
        fn it_is_what_serde_json_writes(shape in shape()) {
            let mut out = Json::default();
            out.append(&shape).unwrap();
            prop_assert_eq!(std::str::from_utf8(out.written()).unwrap(), serde_json::to_string(&shape).unwrap());
        }
    }

    #[test]
    fn a_special_byte_is_found_wherever_it_stands() {
        for byte in 0..=0x7f_u8 {
            for (before, behind) in (0..20).flat_map(|before| (0..10).map(move |behind| (before, behind))) {
                for around in [" ", "~", "\u{7f}", "é"] {
                    let text = [&around.repeat(before), &char::from(byte).to_string(), &around.repeat(behind)]
                        .map(String::as_str)
                        .concat();
                    assert_eq!(has_special(text.as_bytes()), is_special(byte), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn what_no_shape_holds_is_refused() {
        let refused = Json::default().append(&1.5).unwrap_err();
        assert_eq!(refused.to_string(), "cannot put a float into JSON");
    }
}
