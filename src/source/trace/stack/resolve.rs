//! From a snapshot to functions and lines, once the thread runs on.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::PathBuf;

use nix::unistd::Pid;

use super::elf::Elf;
use super::image::Image;
use super::lines::{Known, Lines};
use super::snapshot::{Code, Snapshot};
use super::walk::{DEEPEST, Walker};
use crate::event::{At, Language, Place};

/// A file with what was read of it.
struct Loaded {
    elf: Elf,
    /// Read when they are asked for; `None` where there are none.
    lines: OnceCell<Option<Lines>>,
}

/// Looks up where code is from, and remembers what it has read.
#[derive(Default)]
pub struct Resolver {
    /// By the numbers of the images; `None` for what is no ELF file.
    loaded: HashMap<u64, Option<Loaded>>,
    walkers: HashMap<Pid, Walker>,
}

impl Resolver {
    /// The functions of `snapshot`, the innermost first, and what is missing.
    pub fn resolve(&mut self, snapshot: &Snapshot) -> (Vec<Place>, Option<String>) {
        let addresses = self.walk(snapshot);
        let mut places = Vec::new();
        let mut missing = (addresses.len() >= DEEPEST).then(only_the_innermost);
        for address in addresses {
            let Some(code) = snapshot.code_at(address) else { break };
            if code.path.is_none() {
                places.push(Place { language: Language::Native, function: None, at: At::Address(address) });
                missing = Some(
                    "what called it was compiled while the program ran (by a JIT), and no file has its lines"
                        .to_owned(),
                );
                break;
            }
            if snapshot.python.as_ref().is_some_and(Result::is_ok) && is_interpreter(code) {
                break;
            }
            places.extend(self.places(snapshot.process, code, address));
        }
        match &snapshot.python {
            Some(Ok(python)) => {
                let cut = (python.len() >= DEEPEST).then(only_the_innermost);
                (places.into_iter().chain(python.iter().cloned()).collect(), cut)
            }
            Some(Err(why)) => (places, Some(format!("no line of Python: {why}"))),
            None => (places, missing),
        }
    }

    fn walk(&mut self, snapshot: &Snapshot) -> Vec<u64> {
        let mut walker = self.walkers.remove(&snapshot.process).unwrap_or_default();
        if !self.teach(&mut walker, snapshot) {
            walker = Walker::default();
            self.teach(&mut walker, snapshot);
        }
        let addresses = walker.walk(snapshot);
        self.walkers.insert(snapshot.process, walker);
        addresses
    }

    fn teach(&mut self, walker: &mut Walker, snapshot: &Snapshot) -> bool {
        snapshot.code.iter().all(|code| {
            let Some(image) = &code.image else { return true };
            self.loaded(image).is_none_or(|loaded| walker.learns(code, image.id, &loaded.elf))
        })
    }

    fn loaded(&mut self, image: &Image) -> Option<&Loaded> {
        let read = || Elf::of(image).map(|elf| Loaded { elf, lines: OnceCell::new() });
        self.loaded.entry(image.id).or_insert_with(read).as_ref()
    }

    /// What stands at `address` in `code`, the innermost of what was inlined there first.
    fn places(&mut self, process: Pid, code: &Code, address: u64) -> Vec<Place> {
        let file = code.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let unknown = |offset| At::Module { file: file.clone(), offset };
        let in_file = address.wrapping_sub(code.start).wrapping_add(code.offset);
        let (offset, known) = self.known(process, code, address).unwrap_or_else(|| (in_file, vec![Known::default()]));
        let place = |known: Known| {
            let at = known.line.map_or_else(|| unknown(offset), |(file, line)| At::Line { file, line });
            Place { language: Language::Native, function: known.function, at }
        };
        known.into_iter().map(place).collect()
    }

    /// The address as symbols count, and what is known of it, at least one.
    fn known(&mut self, process: Pid, code: &Code, address: u64) -> Option<(u64, Vec<Known>)> {
        let image = code.image.as_ref()?;
        let loaded = self.loaded(image)?;
        let offset = address.wrapping_sub(code.base(&loaded.elf)?);
        let lines = loaded.lines.get_or_init(|| Lines::of(image, &loaded.elf, &roots(process)));
        let mut known = lines.as_ref().map(|lines| lines.at(offset)).unwrap_or_default();
        if known.is_empty() {
            known.push(Known::default());
        }
        // The last is the function that symbols know too.
        if let Some(last) = known.last_mut().filter(|last| last.function.is_none()) {
            last.function = loaded.elf.function(offset).map(demangled);
        }
        Some((offset, known))
    }
}

/// Where debug files are looked for: on this system, and where the process takes its root to be.
fn roots(process: Pid) -> [PathBuf; 2] {
    [PathBuf::from("/"), PathBuf::from(format!("/proc/{process}/root"))]
}

fn demangled(name: &str) -> String {
    addr2line::demangle_auto(name.into(), None).into_owned()
}

/// Whether it is Python's interpreter, as which function runs there says nothing of the program.
fn is_interpreter(code: &Code) -> bool {
    let name = code.path.as_ref().and_then(|path| path.file_name()).and_then(|name| name.to_str());
    name.is_some_and(super::python::is_named_so)
}

fn only_the_innermost() -> String {
    format!("only the innermost {DEEPEST} were looked at")
}

#[cfg(test)]
mod tests;
