//! From registers and a copy of a stack to return addresses.

use std::collections::BTreeMap;
use std::sync::Arc;

use framehop::{CacheNative, MayAllocateDuringUnwind, Module, Unwinder, UnwinderNative};

use super::elf::Elf;
use super::snapshot::{Code, Memory, Registers, Snapshot};

/// How many functions of a stack are looked at.
pub const DEEPEST: usize = 64;

/// Walks the stacks of one process.
#[derive(Default)]
pub struct Walker {
    unwinder: UnwinderNative<Arc<[u8]>, MayAllocateDuringUnwind>,
    cache: CacheNative<MayAllocateDuringUnwind>,
    /// Where the code is that the unwinder knows: by its first address the one behind its last, and the file's number.
    known: BTreeMap<u64, (u64, u64)>,
}

impl Walker {
    /// Learns that `code` of the file numbered `id`, which says `elf`, is where it is. `false` where something else was
    /// there: this is another program now.
    pub fn learns(&mut self, code: &Code, id: u64, elf: &Elf) -> bool {
        let mut overlapping = self.known.range(..code.end).rev().take_while(|(_, (end, _))| *end > code.start);
        if let Some((start, known)) = overlapping.next() {
            return (*start, *known) == (code.start, (code.end, id)) && overlapping.next().is_none();
        }
        let Some(base) = code.base(elf) else { return true };
        self.known.insert(code.start, (code.end, id));
        self.unwinder.add_module(Module::new(String::new(), code.start..code.end, base, elf.sections()));
        true
    }

    /// The addresses at which the functions of `snapshot` stand, the innermost first: of callers an address inside the call.
    pub fn walk(&mut self, snapshot: &Snapshot) -> Vec<u64> {
        let Registers { pc, .. } = snapshot.registers;
        let mut read = |address| snapshot.memory.word(address).ok_or(());
        let registers = native(&snapshot.registers);
        let mut frames = self.unwinder.iter_frames(pc, registers, &mut self.cache, &mut read);
        let mut found = Vec::new();
        while let Ok(Some(frame)) = frames.next() {
            let address = frame.address_for_lookup();
            if found.len() >= DEEPEST || snapshot.code_at(address).is_none() {
                break;
            }
            found.push(address);
        }
        found
    }
}

#[cfg(target_arch = "x86_64")]
fn native(registers: &Registers) -> framehop::UnwindRegsNative {
    framehop::UnwindRegsNative::new(registers.pc, registers.sp, registers.fp)
}

#[cfg(target_arch = "aarch64")]
fn native(registers: &Registers) -> framehop::UnwindRegsNative {
    // User space has 48 bits of address, and what signs it above.
    let mask = framehop::aarch64::PtrAuthMask(u64::MAX >> 16);
    framehop::UnwindRegsNative::new_with_ptr_auth_mask(mask, registers.lr, registers.sp, registers.fp)
}

impl Memory {
    /// The word of 8 bytes at `address`.
    pub fn word(&self, address: u64) -> Option<u64> {
        let at = usize::try_from(address.checked_sub(self.base)?).ok()?;
        let bytes = self.bytes.get(at..at.checked_add(8)?)?;
        bytes.try_into().ok().map(u64::from_ne_bytes)
    }
}
