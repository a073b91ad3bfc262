//! One event as one line of text, printed and parsed in the same place.
//!
//! Transcripts, scenario files and the comments of saved captures share this grammar; docs/transcript.md describes it.
//! Everything printed here is ASCII without control characters, and reads back to what was printed.

mod call;
mod event;
mod holding;
mod options;
mod saved;
mod scan;
mod segment;
mod stack;
mod transcript;
mod value;

pub use call::{call, call_end, outcome, parse_call, parse_outcome};
pub use event::{Line, MARK, MAX_PIECE, Reader, event_lines, event_text, run_lines};
pub use options::{option_text, options_text, parse_options};
pub use saved::SavedLine;
pub use scan::ParseError;
pub use segment::{SegmentText, parse_segment};
pub use transcript::{ConnectionText, Deed, Moment, Title, TranscriptLine, in_order};
pub use value::{quote, quote_payload, unquote};

#[cfg(test)]
mod tests;
