use std::net::SocketAddr;

use super::{ByCalls, Facts, sentences};
use crate::story::ending::Ending;
use crate::story::side::{Both, Side};
use crate::tcp::state::State;

/// An orderly end in which the client's last `lost` bytes were not read.
fn closed_with(lost: u64) -> Facts {
    Facts {
        ending: Ending { first_fin: Some(Side::Server), answered: true, ..Ending::default() },
        states: Both { client: State::Closed, server: State::TimeWait },
        lost: Both { client: lost, server: 0 },
        all_acknowledged: false,
        seen: Both { client: true, server: true },
        server: SocketAddr::from(([127, 0, 0, 1], 2222)),
        with_itself: false,
        has_calls: Both::default(),
        sent: Both { client: lost, server: 0 },
        by_calls: ByCalls::default(),
    }
}

#[test]
fn one_byte_was_and_several_bytes_were() {
    assert_eq!(
        sentences::lost(&closed_with(1), Side::Client),
        " 1 byte that the client had sent was never acknowledged."
    );
    assert_eq!(
        sentences::lost(&closed_with(5), Side::Client),
        " 5 bytes that the client had sent were never acknowledged."
    );
    assert_eq!(super::happened::unread(1), "yet 1 byte was never read by the program it was meant for");
    assert_eq!(super::happened::unread(2), "yet 2 bytes were never read by the program they were meant for");
}
