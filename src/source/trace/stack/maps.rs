//! What is mapped into a process, and from which files (`/proc/PID/maps`).

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use nix::unistd::Pid;

/// One mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its first address.
    pub start: u64,
    /// The address behind its last.
    pub end: u64,
    /// Whether what stands there can be run.
    pub is_code: bool,
    /// Where in its file it begins, in bytes.
    pub offset: u64,
    /// The file's inode; 0 where it has no file.
    pub inode: u64,
    /// The file as the process names it; empty where it has none, in brackets where it is the kernel's.
    pub path: PathBuf,
}

impl Mapping {
    /// Whether it is of a file.
    pub const fn has_file(&self) -> bool {
        self.inode != 0
    }

    /// The name of its file without folders.
    pub fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }
}

/// The mappings of `process`, rising; none where they cannot be read.
pub fn of(process: Pid) -> Vec<Mapping> {
    parse(&fs::read(format!("/proc/{process}/maps")).unwrap_or_default())
}

/// The one in which `address` lies.
pub fn at(mappings: &[Mapping], address: u64) -> Option<&Mapping> {
    let before = mappings.partition_point(|mapping| mapping.start <= address);
    mappings.get(before.checked_sub(1)?).filter(|mapping| address < mapping.end)
}

/// Where the kernel lets the file of `mapping` be opened even if it has another name by now, or none.
pub fn link(process: Pid, mapping: &Mapping) -> PathBuf {
    Path::new("/proc").join(process.to_string()).join(format!("map_files/{:x}-{:x}", mapping.start, mapping.end))
}

fn parse(text: &[u8]) -> Vec<Mapping> {
    text.split(|byte| *byte == b'\n').filter_map(line).collect()
}

/// `7f12-7f34 r-xp 00001000 fe:00 1234      /usr/lib/libc.so.6`
fn line(line: &[u8]) -> Option<Mapping> {
    let mut words = line.splitn(6, |byte| *byte == b' ').map(std::str::from_utf8);
    let mut word = || words.next()?.ok();
    let (range, rights, offset, _, inode) = (word()?, word()?, word()?, word()?, word()?);
    let (start, end) = range.split_once('-')?;
    let hexadecimal = |text: &str| u64::from_str_radix(text, 16).ok();
    // The words above are ASCII, and a space stands behind each.
    let before: usize = [range, rights, offset, inode].iter().map(|word| word.len() + 1).sum::<usize>() + 1;
    let device = line.get(range.len() + rights.len() + offset.len() + 3..)?.split(|byte| *byte == b' ').next()?.len();
    let path = line.get(before + device..).unwrap_or_default().trim_ascii_start();
    Some(Mapping {
        start: hexadecimal(start)?,
        end: hexadecimal(end)?,
        is_code: rights.as_bytes().get(2) == Some(&b'x'),
        offset: hexadecimal(offset)?,
        inode: inode.parse().ok()?,
        path: PathBuf::from(OsString::from_vec(path.to_vec())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_whatever_its_file_is_called() {
        let text = b"55d0-55e0 r--p 00000000 fe:00 12 /a b\n55e0-55f0 r-xp 00010000 fe:00 12 /a b\n\
            7000-7100 rw-p 00000000 00:00 0 \n7100-7200 r-xp 00000000 00:00 0                  [vdso]\n\
            8000-8100 r-xp 0 fe:00 9 /\xff\nrubbish\n-\n1-2 r 3\n";
        let read = parse(text);
        let seen: Vec<(u64, bool, bool, &str)> =
            read.iter().map(|one| (one.start, one.is_code, one.has_file(), one.name())).collect();
        assert_eq!(
            seen,
            [
                (0x55d0, false, true, "a b"),
                (0x55e0, true, true, "a b"),
                (0x7000, false, false, ""),
                (0x7100, true, false, "[vdso]"),
                (0x8000, true, true, ""),
            ]
        );
        assert_eq!((read[1].offset, read[1].end), (0x1_0000, 0x55f0));
        assert_eq!(at(&read, 0x55e8), Some(&read[1]));
        assert_eq!((at(&read, 0x55f0), at(&read, 1), at(&[], 1)), (None, None, None));
    }

    #[test]
    fn ones_own_code_lies_in_ones_own_program() {
        let mappings = of(nix::unistd::getpid());
        let here = ones_own_code_lies_in_ones_own_program as fn() as usize as u64;
        let mapping = at(&mappings, here).unwrap();
        assert_eq!((mapping.is_code, mapping.path.clone()), (true, std::env::current_exe().unwrap()));
    }
}
