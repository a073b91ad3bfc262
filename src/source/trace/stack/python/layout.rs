//! Where `CPython`'s structures have what, in bytes from their beginnings.

use nix::unistd::Pid;

use crate::source::trace::memory;

/// What `CPython` 3.13 puts at the beginning of `_PyRuntime` for outside readers.
const COOKIE: &[u8; 8] = b"xdebugpy";

/// How many words `struct _Py_DebugOffsets` of 3.13 has.
const WORDS: usize = 73;

/// Where in each structure its fields are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// `_PyRuntimeState.interpreters.head`.
    pub interpreters: u64,
    /// `PyInterpreterState.next`.
    pub next_interpreter: u64,
    /// `PyInterpreterState.threads.head`.
    pub threads: u64,
    /// `PyThreadState.next`.
    pub next_thread: u64,
    /// `PyThreadState.thread_id`, as of `pthread_self(3)`.
    pub pthread: u64,
    /// `PyThreadState.native_thread_id`, as of `gettid(2)`.
    pub tid: u64,
    /// `PyThreadState.current_frame`, before 3.13 `PyThreadState.cframe`.
    pub frame: u64,
    /// Before 3.13: `_PyCFrame.current_frame`.
    pub within: Option<u64>,
    /// `_PyInterpreterFrame.previous`.
    pub previous: u64,
    /// `_PyInterpreterFrame.f_executable`, before 3.13 `f_code`.
    pub code: u64,
    /// `_PyInterpreterFrame.instr_ptr`, before 3.13 `prev_instr`.
    pub instruction: u64,
    /// `_PyInterpreterFrame.owner`.
    pub owner: u64,
    /// `PyCodeObject.co_filename`.
    pub filename: u64,
    /// `PyCodeObject.co_qualname`.
    pub qualname: u64,
    /// `PyCodeObject.co_linetable`.
    pub linetable: u64,
    /// `PyCodeObject.co_firstlineno`.
    pub first_line: u64,
    /// `PyCodeObject.co_code_adaptive`.
    pub bytecode: u64,
    /// `PyObject.ob_type`.
    pub kind: u64,
    /// `PyVarObject.ob_size`.
    pub size: u64,
    /// `PyBytesObject.ob_sval`.
    pub bytes: u64,
    /// `PyASCIIObject.length`.
    pub length: u64,
    /// `PyASCIIObject.state`.
    pub state: u64,
    /// The size of `PyASCIIObject`, behind which ASCII stands.
    pub ascii: u64,
    /// The size of `PyCompactUnicodeObject`, behind which other text stands.
    pub compact: u64,
}

/// `CPython` 3.11, as its headers have it on 64 bits.
const IN_3_11: Layout = Layout {
    interpreters: 40,
    next_interpreter: 0,
    threads: 16,
    next_thread: 8,
    pthread: 152,
    tid: 160,
    frame: 56,
    within: Some(8),
    previous: 48,
    code: 32,
    instruction: 56,
    owner: 69,
    filename: 112,
    qualname: 128,
    linetable: 136,
    first_line: 72,
    bytecode: 184,
    kind: 8,
    size: 16,
    bytes: 32,
    length: 16,
    state: 32,
    ascii: 48,
    compact: 72,
};

/// `CPython` 3.12.
const IN_3_12: Layout = Layout {
    threads: 72,
    pthread: 136,
    tid: 144,
    within: Some(0),
    previous: 8,
    code: 0,
    owner: 70,
    first_line: 68,
    bytecode: 192,
    ascii: 40,
    compact: 56,
    ..IN_3_11
};

impl Layout {
    /// That of the Python with this `_PyRuntime` and the version `Py_Version` (`PY_VERSION_HEX`).
    pub fn of(process: Pid, runtime: u64, version: Option<u64>) -> Result<Self, String> {
        let version = version.unwrap_or(0);
        match (version >> 16, version & 0xff) {
            (0x030b, 0xf0) => Ok(IN_3_11),
            (0x030c, 0xf0) => Ok(IN_3_12),
            (0x030d, _) => Self::told(&memory::bytes(process, runtime, WORDS * 8), version)
                .ok_or_else(|| "the interpreter does not say where it keeps its frames".to_owned()),
            (number, _) => Err(format!("where Python {}.{} keeps its frames is not known", number >> 8, number & 0xff)),
        }
    }

    /// What `struct _Py_DebugOffsets` of 3.13 says.
    pub fn told(raw: &[u8], version: u64) -> Option<Self> {
        let words: Vec<u64> =
            raw.chunks_exact(8).filter_map(|word| Some(u64::from_ne_bytes(word.try_into().ok()?))).collect();
        let words: [u64; WORDS] = words.try_into().ok()?;
        (raw.starts_with(COOKIE) && words[1] == version && words.iter().skip(2).all(|word| *word < 1 << 24))
            .then_some(())?;
        Some(Self {
            interpreters: words[5],
            next_interpreter: words[8],
            threads: words[9],
            next_thread: words[21],
            frame: words[23],
            within: None,
            pthread: words[24],
            tid: words[25],
            previous: words[29],
            code: words[30],
            instruction: words[31],
            owner: words[33],
            filename: words[35],
            qualname: words[37],
            linetable: words[38],
            first_line: words[39],
            bytecode: words[43],
            kind: words[45],
            size: words[65],
            bytes: words[66],
            state: words[68],
            length: words[69],
            ascii: words[70],
            // Two words more: the text in UTF-8, and its length.
            compact: words[70] + 16,
        })
    }
}
