use proptest::prelude::*;

use super::frames::decoded;
use super::layout::Layout;
use super::lines::line;
use super::*;

/// What `CPython` itself says of `def f(a): x = [i for i in a] …`, whose lines are spread over twelve (`co_lines()`).
const TABLES: [(&str, &[(u64, u32)]); 3] = [
    (
        "8000f002010915f000010915d81213f003010915f100010915f4000109158041e00708f000030513e01011d81011f103011112f000010913f00c000c108834",
        &[(0, 1), (1, 2), (3, 3), (4, 2), (11, 2), (13, 4), (15, 6), (16, 7), (18, 6), (20, 12), (21, 12)],
    ),
    (
        "8000e01213f603010915d80d0ef203000a0bf0000109158041f000010915e10708e01011d81011f103011112f000010913f00c000c10f9f215010915",
        &[(0, 1), (1, 3), (2, 2), (9, 3), (15, 2), (16, 4), (19, 7), (23, 12), (26, 2), (28, 2)],
    ),
    (
        "8000e11213f303010915d912138851f303000a0bd91213f003000506f000010915e60708e01011d81011f103011112f000010913f00c000c10f9f215010915",
        &[(0, 1), (2, 3), (6, 2), (9, 3), (13, 2), (17, 2), (24, 4), (26, 7), (29, 6), (30, 12), (35, 2)],
    ),
];

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn lines_are_those_that_python_says() {
    for (table, known) in TABLES {
        let table = unhex(table);
        for (at, expected) in known {
            assert_eq!(line(&table, 1, *at), Some(*expected), "{at}");
        }
        assert_eq!(line(&table, 1, 1000), None);
    }
    // What the compiler put in by itself has no line: 3.12, from 24 to 26.
    assert_eq!(line(&unhex(TABLES[1].0), 1, 24), None);
}

#[test]
fn an_interpreter_is_known_by_the_name_of_its_file() {
    for name in ["python", "python3", "python3.13t", "libpython3.11.so.1.0"] {
        assert!(is_named_so(name), "{name}");
    }
    for name in ["_socket.cpython-311-x86_64-linux-gnu.so", "libpython_http.so", "pythonish", "pypy3", ""] {
        assert!(!is_named_so(name), "{name}");
    }
}

#[test]
fn text_is_read_in_each_width() {
    assert_eq!(decoded(b"x.py", 1), Some("x.py".to_owned()));
    assert_eq!(decoded(&[0xe9], 1), Some("é".to_owned()));
    assert_eq!(decoded(&0x20ac_u16.to_ne_bytes(), 2), Some("€".to_owned()));
    assert_eq!(decoded(&0xd800_u16.to_ne_bytes(), 2), None);
    assert_eq!(decoded(&0x1f600_u32.to_ne_bytes(), 4), Some("😀".to_owned()));
    assert_eq!(decoded(b"x", 0), None);
}

#[test]
fn what_python_3_13_does_not_say_clearly_is_not_believed() {
    let mut raw = b"xdebugpy".to_vec();
    raw.extend(0x030d_00f0_u64.to_ne_bytes());
    raw.extend((2..73_u64).flat_map(|word| (word * 8).to_ne_bytes()));
    let told = Layout::told(&raw, 0x030d_00f0).unwrap();
    assert_eq!((told.interpreters, told.frame, told.compact), (5 * 8, 23 * 8, 70 * 8 + 16));
    assert_eq!(Layout::told(&raw, 0x030d_01f0), None);
    assert_eq!(Layout::told(&raw[..raw.len() - 1], 0x030d_00f0), None);
    let mut wrong = raw.clone();
    wrong[16 * 8 + 7] = 1;
    assert_eq!(Layout::told(&wrong, 0x030d_00f0), None);
    raw[0] = b'y';
    assert_eq!(Layout::told(&raw, 0x030d_00f0), None);
}

#[test]
fn a_version_that_is_not_known_is_said() {
    let own = nix::unistd::getpid();
    let why = |version| Layout::of(own, 0, Some(version)).unwrap_err();
    assert_eq!(why(0x030e_00f0), "where Python 3.14 keeps its frames is not known");
    // The second candidate of 3.12, whose structures may be others.
    assert_eq!(why(0x030c_00c2), "where Python 3.12 keeps its frames is not known");
    assert_eq!(why(0x030d_00f0), "the interpreter does not say where it keeps its frames");
}

/// An interpreter in this process, whose structures are wherever `words` point.
fn interpreter(words: &[u64], layout: Layout) -> Interpreter {
    let runtime = words.as_ptr().addr() as u64;
    let types = Types { code: words[0], text: words[1], bytes: words[2] };
    Interpreter { process: nix::unistd::getpid(), runtime, layout, types }
}

proptest! {
    #[test]
    fn memory_that_is_rubbish_gives_no_line(
        offsets in prop::collection::vec(0..256_u64, 64),
        words in prop::collection::vec((0..64_usize, any::<u64>(), any::<bool>()), 64),
        version in prop::sample::select(vec![0x030b_07f0_u64, 0x030c_01f0, 0x030d_00f0]),
    ) {
        let own = nix::unistd::getpid();
        let mut memory = vec![0_u64; 128];
        let base = memory.as_ptr().addr() as u64;
        for ((at, any, is_pointer), offset) in words.into_iter().zip(&offsets) {
            memory[at] = if is_pointer { base + offset } else { any };
        }
        let mut raw = b"xdebugpy".to_vec();
        raw.extend(version.to_ne_bytes());
        raw.extend(offsets.iter().cycle().take(71).flat_map(|offset| offset.to_ne_bytes()));
        let layout = Layout::of(own, 0, Some(version)).or_else(|_| Layout::told(&raw, version).ok_or(())).unwrap();
        let read = interpreter(&memory, layout).frames(own, memory[5]);
        for place in read.unwrap_or_default() {
            let has_line = matches!(place.at, crate::event::At::Line { .. });
            prop_assert!(has_line);
        }
    }

    #[test]
    fn a_table_that_is_rubbish_gives_some_line_or_none(
        table in prop::collection::vec(any::<u8>(), 0..64), first in any::<i64>(), at in any::<u64>()
    ) {
        prop_assert_ne!(line(&table, first, at), Some(0));
    }
}
