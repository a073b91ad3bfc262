//! What the signs of a story mean.

/// One line a sign, for the help.
pub const LINES: [&str; 8] = [
    "",
    "▶      the row under the cursor; every pane speaks of it",
    "◆      a cause of that row",
    "▸      a state that an end has come to",
    "✓5     acknowledged by frame 5, which has no row of its own",
    "✗      not heard by the other end; or an error",
    "·      a call without a frame",
    "┊      a row that comes later than the cursor",
];
