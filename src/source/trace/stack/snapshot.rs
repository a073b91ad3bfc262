//! What is kept of a thread that stands still: its registers, a copy of its stack, and which code is where. All else can wait
//! until it runs again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use nix::unistd::Pid;

use super::elf::Elf;
use super::image::{Image, Images};
use super::maps::{self, Mapping};
use super::python;
use crate::event::Place;
use crate::source::trace::{memory, ptrace};

/// How much of a stack is copied, in bytes.
const COPIED: u64 = 256 * 1024;

/// The registers by which a stack is walked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// The next instruction's address.
    pub pc: u64,
    /// Where the stack ends.
    pub sp: u64,
    /// The frame pointer, where the program keeps one.
    pub fp: u64,
    /// The return address, where the processor has a register for it.
    pub lr: u64,
    /// By what the C library knows the thread (`pthread_self(3)`); 0 where no register says.
    pub own: u64,
}

/// A copy of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The first byte's address.
    pub base: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A part of memory that can be run.
#[derive(Clone, Debug)]
pub struct Code {
    /// Its first address.
    pub start: u64,
    /// The address behind its last.
    pub end: u64,
    /// Where it begins in its file, in bytes.
    pub offset: u64,
    /// The file as the process names it; `None` where it has none, as what a compiler made at run time.
    pub path: Option<PathBuf>,
    /// The file, where it could be had.
    pub image: Option<Arc<Image>>,
}

/// A thread as it stood.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its process.
    pub process: Pid,
    /// Its registers.
    pub registers: Registers,
    /// Its stack, the end that is in use.
    pub memory: Memory,
    /// The code that the stack may lead to, rising.
    pub code: Vec<Code>,
    /// What Python ran, or why that cannot be said; `None` where it ran none.
    pub python: Option<Result<Vec<Place>, String>>,
}

impl Registers {
    /// Those of a stopped thread.
    fn of(thread: Pid) -> std::io::Result<Self> {
        ptrace::registers(thread).map(|all| Self::among(&all))
    }

    /// As `struct user_regs_struct` has them.
    #[cfg(target_arch = "x86_64")]
    fn among(all: &ptrace::Registers) -> Self {
        let [_, _, _, _, fp, ..] = *all;
        let [.., pc, _, _, sp, _, own, _, _, _, _, _] = *all;
        Self { pc, sp, fp, lr: 0, own }
    }

    /// As `struct user_pt_regs` has them.
    #[cfg(target_arch = "aarch64")]
    fn among(all: &ptrace::Registers) -> Self {
        let [.., fp, lr, sp, pc, _] = *all;
        Self { pc, sp, fp, lr, own: 0 }
    }
}

impl Code {
    /// Where the file's address 0 would be.
    pub fn base(&self, elf: &Elf) -> Option<u64> {
        Some(self.start.wrapping_sub(elf.address(self.offset)?))
    }
}

impl Snapshot {
    /// Of `thread`, which stands still, of `process`. The error is why there is none.
    pub fn of(thread: Pid, process: Pid, images: &mut Images) -> Result<Self, String> {
        let registers = Registers::of(thread).map_err(|error| format!("its registers cannot be read: {error}"))?;
        let mappings = maps::of(process);
        let memory = copy(thread, registers.sp, &mappings).ok_or_else(|| "its stack cannot be read".to_owned())?;
        let reached = reached(&registers, &memory, &mappings);
        let mut code = |mapping: &Mapping| {
            let path = mapping.has_file().then(|| mapping.path.clone());
            let image = path.as_ref().and_then(|_| images.of(process, mapping, &mappings));
            Code { start: mapping.start, end: mapping.end, offset: mapping.offset, path, image }
        };
        let code = reached.into_iter().map(&mut code).collect();
        let python = python::running(thread, process, registers.own, &mappings, images);
        Ok(Self { process, registers, memory, code, python })
    }

    /// The code in which `address` lies.
    pub fn code_at(&self, address: u64) -> Option<&Code> {
        let before = self.code.partition_point(|code| code.start <= address);
        self.code.get(before.checked_sub(1)?).filter(|code| address < code.end)
    }
}

/// The stack from `sp` on, up to the end of what is mapped there.
fn copy(thread: Pid, sp: u64, mappings: &[Mapping]) -> Option<Memory> {
    let end = maps::at(mappings, sp)?.end;
    let len = usize::try_from((end - sp).min(COPIED)).ok()?;
    let bytes = memory::bytes(thread, sp, len);
    (!bytes.is_empty()).then_some(Memory { base: sp, bytes })
}

/// The code that the registers or any word of the stack point at, for no return address is anywhere else.
fn reached<'a>(registers: &Registers, memory: &Memory, mappings: &'a [Mapping]) -> Vec<&'a Mapping> {
    // A thread of many libraries has some hundred of them, a stack some thousand words.
    let code: Vec<&Mapping> = mappings.iter().filter(|mapping| mapping.is_code).collect();
    let at = |address: u64| {
        let before = code.partition_point(|mapping| mapping.start <= address);
        code.get(before.checked_sub(1)?).filter(|mapping| address < mapping.end).copied()
    };
    let words = memory.bytes.chunks_exact(8).filter_map(|word| word.try_into().ok().map(u64::from_ne_bytes));
    let addresses = words.map(strip).chain([registers.pc, strip(registers.lr)]);
    let found: BTreeMap<u64, &Mapping> = addresses.filter_map(at).map(|mapping| (mapping.start, mapping)).collect();
    found.into_values().collect()
}

/// An address without what a processor may have signed it with.
const fn strip(address: u64) -> u64 {
    if cfg!(target_arch = "aarch64") { address & (u64::MAX >> 16) } else { address }
}

#[cfg(test)]
mod tests;
