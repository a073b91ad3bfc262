//! One row of the ladder as text in columns of fixed width: the same drawing on the dashboard and on paper.
//!
//! At 80 columns: a mark, 3 of number, a space, 24 for the client, a border, 24 for the network, a border, 25 for the server.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::rows::{Number, Row, Wire};
use super::side::Side;
use crate::event::ConnectionId;

/// How wide each column is, in terminal cells. Mark, the space after the number and both borders take four more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The number's.
    pub number: usize,
    /// The client's.
    pub client: usize,
    /// The network's.
    pub network: usize,
    /// The server's.
    pub server: usize,
}

/// What stands left of a row's number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// Nothing.
    #[default]
    None,
    /// The cursor: `▶`.
    Cursor,
    /// A cause of the row under the cursor: `◆`.
    Cause,
}

/// A row's columns, each padded to its width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The mark, one cell.
    pub mark: String,
    /// The number.
    pub number: String,
    /// The client's text.
    pub client: String,
    /// The network's arrow or words.
    pub network: String,
    /// The server's text.
    pub server: String,
}

impl Columns {
    /// The columns of a terminal of 80.
    pub const EIGHTY: Self = Self { number: 3, client: 24, network: 24, server: 25 };

    /// Cells that are no column: the mark, the space after the number, two borders.
    const BETWEEN: usize = 4;

    /// Columns for `width` cells with `number` of them for the number. From 80 on the sides share what is left over, below
    /// it the network's column gives way first.
    pub fn fit(width: usize, number: usize) -> Self {
        let rest = width.saturating_sub(Self::BETWEEN + number);
        let network = match width {
            72.. => 24,
            56.. => 18,
            _ => rest / 3,
        };
        let sides = rest.saturating_sub(network);
        // At 80 the number's third cell comes off the client's half.
        let client = sides.saturating_sub(1) / 2;
        Self { number, client, network, server: sides - client }
    }

    /// Where the server's column begins, in cells from the left.
    pub fn server_start(self) -> usize {
        self.number + self.client + self.network + Self::BETWEEN
    }

    /// All cells together.
    pub fn width(self) -> usize {
        self.server_start() + self.server
    }

    /// The line between the header and the rows.
    pub fn rule(self) -> String {
        let left = "─".repeat(self.number + self.client + 2);
        format!("{left}┬{}┬{}", "─".repeat(self.network), "─".repeat(self.server))
    }
}

impl Drawn {
    /// The row on one line; `later` rows, which the cursor has not reached, have their borders broken.
    pub fn line(&self, later: bool) -> String {
        let border = if later { '┊' } else { '│' };
        let Self { mark, number, client, network, server } = self;
        format!("{mark}{number} {client}{border}{network}{border}{server}")
    }
}

/// Draws `row` in `columns` with its own number.
pub fn draw(row: &Row, mark: Mark, columns: Columns) -> Drawn {
    draw_numbered(row, &number(row.number), mark, columns)
}

/// Draws `row` in `columns` with `number` in place of its own: its time, say.
pub fn draw_numbered(row: &Row, number: &str, mark: Mark, columns: Columns) -> Drawn {
    Drawn {
        mark: match mark {
            Mark::None => " ",
            Mark::Cursor => "▶",
            Mark::Cause => "◆",
        }
        .to_owned(),
        number: pad_left(&fit_number(number, columns.number), columns.number),
        client: pad(&clip_quoted(&row.text.client, columns.client), columns.client),
        network: match &row.wire {
            Wire::Handshake(which) => handshake(*which, &too_wide(row.number, columns), columns.network),
            other => wire(other, columns.network),
        },
        server: pad(&clip_quoted(&row.text.server, columns.server), columns.server),
    }
}

/// A number in at most `width` cells: where a range does not fit, its first number does.
fn fit_number(number: &str, width: usize) -> String {
    match number.split_once('-') {
        Some((first, _)) if number.width() > width && !first.is_empty() => clip(first, width),
        _ => clip(number, width),
    }
}

/// What stands in the number column, unclipped.
pub fn number(number: Number) -> String {
    match number {
        Number::Frame(frame) => frame.to_string(),
        Number::Frames(first, last) => format!("{first}-{last}"),
        Number::Dot => "·".to_owned(),
        Number::Blank => String::new(),
    }
}

/// What stands in the network's column, `width` cells wide.
pub fn wire(wire: &Wire, width: usize) -> String {
    match wire {
        Wire::Arrow { from, label, acknowledged_by, heard } => {
            let label = clean(label);
            if *heard {
                let note = acknowledged_by.map(|frame| frame.to_string()).unwrap_or_default();
                arrow(*from, &label, &note, width)
            } else {
                unheard(*from, &label, width)
            }
        }
        Wire::Handshake(which) => handshake(*which, "", width),
        Wire::Pause(nanos) => centred(&format!("pause {}", duration(*nanos)), '┄', width),
        Wire::NothingSent => centred("nothing sent", ' ', width),
        Wire::Note(words) => centred(&clean(words), ' ', width),
        Wire::Empty => " ".repeat(width),
    }
}

fn arrow(from: Side, label: &str, acknowledged_by: &str, width: usize) -> String {
    let note = match (from, acknowledged_by) {
        (_, "") => String::new(),
        (Side::Client, frame) => format!("✓{frame}"),
        (Side::Server, frame) => format!("{frame}✓"),
    };
    // Where the label would not fit, the line at its tail is shorter and there is none before the head.
    let roomy = label.width() + note.width() + 4 <= width;
    let tail = if roomy { "──" } else { "─" };
    let label = clip(label, width.saturating_sub(2 + note.width()));
    let line = "─".repeat(width.saturating_sub(1 + tail.width() + label.width() + note.width()));
    let drawn = match from {
        Side::Client => format!("{tail}{label}{line}▶{note}"),
        Side::Server => format!("{note}◀{line}{label}{tail}"),
    };
    pad(&clip(&drawn, width), width)
}

/// An arrow that ends, with `✗`, before it reaches the other side.
fn unheard(from: Side, label: &str, width: usize) -> String {
    let label = clip(label, width.saturating_sub(4));
    let reach = (width * 17 / 24).max(label.width() + 3).min(width.saturating_sub(1));
    let line = "─".repeat(reach.saturating_sub(2 + label.width()));
    let drawn = match from {
        Side::Client => pad(&format!("──{label}{line}✗"), width),
        Side::Server => pad_left(&format!("✗{line}{label}──"), width),
    };
    pad(&clip(&drawn, width), width)
}

/// ` 12-14`, where the numbers of a handshake's frames do not fit into their column.
fn too_wide(own: Number, columns: Columns) -> String {
    let own = number(own);
    if own.width() > columns.number { format!(" {own}") } else { String::new() }
}

fn handshake(which: Option<ConnectionId>, frames: &str, width: usize) -> String {
    let which = which.map_or_else(String::new, |id| format!("#{id} "));
    let room = width.saturating_sub(2);
    let whole = format!(" {which}handshake{frames} ");
    let words = if whole.width() <= room { whole } else { format!("{which}handshake") };
    let inner = centred(&words, '═', room);
    pad(&clip(&format!("◀{inner}▶"), width), width)
}

fn centred(words: &str, fill: char, width: usize) -> String {
    let words = clip(words, width);
    let left = (width - words.width()) / 2;
    let right = width - words.width() - left;
    let filler = |cells: usize| fill.to_string().repeat(cells);
    format!("{}{words}{}", filler(left), filler(right))
}

/// A span of time in the unit in which a person would say it: `1.0 s`, `207 ms`, `40 µs`.
pub fn duration(nanos: u64) -> String {
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{} µs", nanos / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", nanos / 1_000_000),
        _ => format!("{}.{} s", nanos / 1_000_000_000, nanos / 100_000_000 % 10),
    }
}

/// `text` without what could move a terminal's cursor or turn its text around: control characters and bidirectional marks.
pub fn clean(text: &str) -> String {
    let harmless = |c: &char| {
        !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(harmless).collect()
}

/// `text` in at most `width` cells, cleaned; what is cut off leaves a `…`.
pub fn clip(text: &str, width: usize) -> String {
    let text = clean(text);
    if text.width() <= width {
        return text;
    }
    if width == 0 {
        return String::new();
    }
    let mut clipped = beginning(&text, width - 1);
    clipped.push('…');
    clipped
}

/// As [`clip`], but first the mark of a failure gives way, whose error stands before it, and then a quoted part, so that a
/// call's result stays: `send("ERROR:no e…") = 13`.
pub fn clip_quoted(text: &str, width: usize) -> String {
    let text = clean(text);
    if text.width() <= width {
        return text;
    }
    let text = text.strip_suffix(" ✗").map_or_else(|| text.clone(), ToOwned::to_owned);
    if text.width() <= width {
        return text;
    }
    let Some((head, rest)) = text.split_once('"') else { return clip_call(&text, width) };
    let Some((quoted, tail)) = rest.rsplit_once('"') else { return clip_call(&text, width) };
    // Both quotation marks and the ellipsis.
    match width.checked_sub(head.width() + tail.width() + 3) {
        Some(room) if room > 0 => format!("{head}\"{}…\"{tail}", beginning(quoted, room)),
        _ => clip_call(&text, width),
    }
}

/// A call in at most `width` cells, of which the result stays, unless that is a mere 0: `getsockopt… = ECONNRESET`.
fn clip_call(text: &str, width: usize) -> String {
    let tells = |result: &&str| *result != "0" && !result.starts_with("0 ") && !result.starts_with("0,");
    let Some((call, result)) = text.rsplit_once(" = ").filter(|(_, result)| tells(result)) else {
        return clip(text, width);
    };
    match width.checked_sub(result.width() + 4) {
        Some(room) if room > 3 => format!("{}… = {result}", beginning(call, room).trim_end_matches('(')),
        _ => clip(text, width),
    }
}

fn beginning(text: &str, width: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

/// `text` with spaces after it up to `width` cells.
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// `text` with spaces before it up to `width` cells.
pub fn pad_left(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(text.width())))
}

/// The drawing's character in ASCII, one cell for one cell; a character that no drawing has is `?`.
pub const fn ascii(c: char) -> char {
    match c {
        '▶' | '▸' | '→' => '>',
        '◀' | '←' => '<',
        '↑' => '^',
        '↓' | '✓' => 'v',
        '│' | '▏' => '|',
        '┊' => ':',
        '─' | '┄' | '┬' | '┴' | '—' => '-',
        '═' => '=',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' => '+',
        '◆' => '*',
        '·' => '.',
        '…' => '~',
        'µ' => 'u',
        '✗' | '×' => 'x',
        '≠' => '!',
        c if c.is_ascii() => c,
        _ => '?',
    }
}

#[cfg(test)]
mod tests;
