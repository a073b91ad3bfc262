//! JSON as fast as it can be copied: for shapes of which there are hundreds of thousands.
//!
//! `serde_json` looks through every name of a field for what has to be escaped, each time. Here the names of fields, which are
//! Rust's own identifiers, are copied as they are; all else is as there, and a property test holds it to that. Only what the
//! shapes of this program hold is known: no floats, no bytes, no enums with fields.

use std::fmt::{self, Display, Write};

use serde::ser::{self, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

/// Adds `what` as JSON to `out`. Fails where it holds something that no shape of this program does.
pub fn append(what: &impl Serialize, out: &mut Vec<u8>) -> Result<(), Unfit> {
    what.serialize(Lean(out))
}

/// A value of a kind that the shapes of this program do not have.
#[derive(Debug, thiserror::Error)]
#[error("cannot put {0} into JSON")]
pub struct Unfit(String);

impl ser::Error for Unfit {
    fn custom<T: Display>(what: T) -> Self {
        Self(what.to_string())
    }
}

impl From<Unfit> for std::io::Error {
    fn from(unfit: Unfit) -> Self {
        Self::other(unfit)
    }
}

/// Longer names of fields take another way.
const LONGEST_NAME: usize = 29;

/// Where JSON is added.
struct Lean<'a>(&'a mut Vec<u8>);

/// A list, a map or a struct under way.
struct Compound<'a> {
    out: &'a mut Vec<u8>,
    close: u8,
    has_begun: bool,
}

impl<'a> Compound<'a> {
    fn open(out: &'a mut Vec<u8>, open: u8, close: u8) -> Self {
        out.push(open);
        Self { out, close, has_begun: false }
    }

    #[inline]
    fn separate(&mut self) {
        if std::mem::replace(&mut self.has_begun, true) {
            self.out.push(b',');
        }
    }

    fn close(self) {
        self.out.push(self.close);
    }
}

/// Whether a byte cannot stand in a JSON string as it is (RFC 8259 §7).
const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[inline]
fn pieces(text: &str, out: &mut Vec<u8>) {
    // All of it is looked at: hardly any text holds something special.
    if text.bytes().fold(false, |any, byte| any | is_special(byte)) {
        escaped(text, out);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

#[cold]
fn escaped(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            8 => out.extend(b"\\b"),
            12 => out.extend(b"\\f"),
            _ if is_special(byte) => {
                let digit = |value: u8| char::from_digit(value.into(), 16).map_or(b'0', |digit| digit as u8);
                out.extend(b"\\u00");
                out.extend([digit(byte >> 4), digit(byte & 0xf)]);
            }
            _ => out.push(byte),
        }
    }
}

/// Takes what displays itself, piece by piece.
struct Pieces<'a>(&'a mut Vec<u8>);

impl Write for Pieces<'_> {
    #[inline]
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        pieces(piece, self.0);
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident: $number:ty),*) => {$(
        #[inline]
        fn $method(self, number: $number) -> Result<(), Unfit> {
            self.0.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            Ok(())
        }
    )*};
}

macro_rules! unfit {
    ($($method:ident($($argument:ty),*) -> $result:ty = $what:literal;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<$result, Unfit> {
            Err(Unfit($what.to_owned()))
        }
    )*};
}

impl<'a> Serializer for Lean<'a> {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeTuple = Impossible<(), Unfit>;
    type SerializeTupleStruct = Impossible<(), Unfit>;
    type SerializeTupleVariant = Impossible<(), Unfit>;
    type SerializeStructVariant = Impossible<(), Unfit>;

    numbers!(
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64
    );

    unfit! {
        serialize_f32(f32) -> () = "a float";
        serialize_f64(f64) -> () = "a float";
        serialize_bytes(&[u8]) -> () = "bytes";
        serialize_tuple(usize) -> Self::SerializeTuple = "a tuple";
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct = "a tuple";
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant = "an enum's fields";
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant = "an enum's fields";
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unfit> {
        self.0.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Unfit> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Result<(), Unfit> {
        self.0.push(b'"');
        pieces(text, self.0);
        self.0.push(b'"');
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, what: &T) -> Result<(), Unfit> {
        self.0.push(b'"');
        write!(Pieces(self.0), "{what}").map_err(|_| Unfit("what cannot be displayed".to_owned()))?;
        self.0.push(b'"');
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Unfit> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Unfit> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unfit> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unfit> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unfit> {
        Err(Unfit("an enum's field".to_owned()))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a>, Unfit> {
        Ok(Compound::open(self.0, b'[', b']'))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'a>, Unfit> {
        Ok(Compound::open(self.0, b'{', b'}'))
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Compound<'a>, Unfit> {
        Ok(Compound::open(self.0, b'{', b'}'))
    }
}

impl SerializeStruct for Compound<'_> {
    type Ok = ();
    type Error = Unfit;

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "so that the name's length is known where it is copied")]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unfit> {
        self.separate();
        // The name is known when this is compiled, so that all of it is one copy of a few words.
        let mut piece = [b'"'; LONGEST_NAME + 3];
        match piece.get_mut(1..=name.len()) {
            Some(place) if name.len() <= LONGEST_NAME => {
                place.copy_from_slice(name.as_bytes());
                piece[name.len() + 2] = b':';
                self.out.extend_from_slice(&piece[..name.len() + 3]);
            }
            _ => {
                self.out.extend([b"\"", name.as_bytes(), b"\":"].concat());
            }
        }
        value.serialize(Lean(self.out))
    }

    #[inline]
    fn end(self) -> Result<(), Unfit> {
        self.close();
        Ok(())
    }
}

impl SerializeSeq for Compound<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.separate();
        value.serialize(Lean(self.out))
    }

    fn end(self) -> Result<(), Unfit> {
        self.close();
        Ok(())
    }
}

impl SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Unfit;

    /// Keys of JSON are strings, and so are those of the shapes here.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unfit> {
        self.separate();
        key.serialize(Lean(self.out))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.out.push(b':');
        value.serialize(Lean(self.out))
    }

    fn end(self) -> Result<(), Unfit> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use serde::Serialize;

    use super::append;

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
            let mut out = Vec::new();
            append(&shape, &mut out).unwrap();
            prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&shape).unwrap());
        }
    }

    #[test]
    fn what_no_shape_holds_is_refused() {
        let refused = append(&1.5, &mut Vec::new()).unwrap_err();
        assert_eq!(refused.to_string(), "cannot put a float into JSON");
    }
}
