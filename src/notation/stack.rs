//! The stack of a call as text: `stack #12 native "main" "/srv/a.c":31 < native - "/srv/a.out"+0x1139 without "…"`.

use super::scan::{ParseError, Scan};
use super::value::{quote, quoted};
use crate::event::{At, EventId, Language, Place, Stack};

/// What stands between a place and its caller.
const CALLER: &str = " < ";

pub fn stack(stack: &Stack) -> String {
    let places: Vec<String> = stack.places.iter().map(place).collect();
    let places = if places.is_empty() { String::new() } else { format!(" {}", places.join(CALLER)) };
    let missing = stack.missing.as_ref().map_or_else(String::new, |why| format!(" without {}", quote(why.as_bytes())));
    format!("stack #{}{places}{missing}", stack.begun)
}

fn place(place: &Place) -> String {
    let function = place.function.as_ref().map_or_else(|| "-".to_owned(), |name| quote(name.as_bytes()));
    let at = match &place.at {
        At::Line { file, line } => format!("{}:{line}", quote(file.as_bytes())),
        At::Module { file, offset } => format!("{}+{offset:#x}", quote(file.as_bytes())),
        At::Address(address) => format!("{address:#x}"),
    };
    format!("{} {function} {at}", word(place.language))
}

/// What a place begins with.
const fn word(language: Language) -> &'static str {
    match language {
        Language::Native => "native",
        Language::Python => "python",
    }
}

/// Reads what stands behind the word `stack`.
pub fn scan_stack(scan: &mut Scan<'_>) -> Result<Stack, ParseError> {
    scan.require("#")?;
    let begun = EventId(scan.number("the number of the event that began the call")?);
    let mut places = Vec::new();
    let mut ahead = *scan;
    while ahead.take(if places.is_empty() { " " } else { CALLER }) {
        let Some(language) = scan_language(&mut ahead) else { break };
        places.push(scan_place(&mut ahead, language)?);
        *scan = ahead;
    }
    scan.skip_spaces();
    let missing = if scan.take("without ") { Some(text(scan)?) } else { None };
    Ok(Stack { begun, places, missing })
}

fn scan_language(scan: &mut Scan<'_>) -> Option<Language> {
    [Language::Native, Language::Python].into_iter().find(|language| scan.take(word(*language)))
}

fn scan_place(scan: &mut Scan<'_>, language: Language) -> Result<Place, ParseError> {
    scan.require(" ")?;
    let function = if scan.take("-") { None } else { Some(text(scan)?) };
    scan.require(" ")?;
    if scan.take("0x") {
        return Ok(Place { language, function, at: At::Address(hexadecimal(scan)?) });
    }
    let file = text(scan)?;
    let at = if scan.take("+0x") {
        At::Module { file, offset: hexadecimal(scan)? }
    } else {
        scan.require(":")?;
        At::Line { file, line: scan.number("a line's number")? }
    };
    Ok(Place { language, function, at })
}

fn hexadecimal(scan: &mut Scan<'_>) -> Result<u64, ParseError> {
    let start = *scan;
    u64::from_str_radix(scan.take_while(|c| c.is_ascii_hexdigit()), 16)
        .or_else(|_| start.wrong("a hexadecimal number of at most 64 bits"))
}

fn text(scan: &mut Scan<'_>) -> Result<String, ParseError> {
    let start = *scan;
    String::from_utf8(quoted(scan)?).or_else(|_| start.wrong("text in UTF-8"))
}
