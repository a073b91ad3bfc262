//! Memory in large pages.
//!
//! A survey of a large capture looks up records all over a hundred megabytes. In pages of 4 KiB nearly every look misses the
//! processor's translation cache, and each page has to be faulted in by itself; in pages of 2 MiB `explain` takes a sixth less
//! time. Linux gives them to those who ask where `madvise` stands in `/sys/kernel/mm/transparent_hugepage/enabled`; where it
//! gives none, nothing changes.

#![allow(
    unsafe_code,
    reason = "an allocator is unsafe by its nature; this one adds a single system call to the system's"
)]

use std::alloc::{GlobalAlloc, Layout, System};

/// As much allocated at once is worth asking, in bytes: two large pages of x86-64, so that one lies within.
const MUCH: usize = 4 << 20;

/// The least page that there is; addresses that are no multiple of the page's length the kernel refuses, which does no harm.
const PAGE: usize = 4096;

/// The system's allocator, which asks for large pages where much is allocated at once.
pub struct LargePages;

// SAFETY: all memory comes from `System` and goes back to it, with the layouts that it was asked for.
unsafe impl GlobalAlloc for LargePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are `System`'s conditions.
        advised(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        advised(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) };
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, len: usize) -> *mut u8 {
        // SAFETY: as above.
        advised(unsafe { System.realloc(memory, layout, len) }, len)
    }
}

/// `memory` of `len` bytes, for which large pages were asked if that is much.
#[inline]
fn advised(memory: *mut u8, len: usize) -> *mut u8 {
    if len >= MUCH && !memory.is_null() {
        ask(memory, len);
    }
    memory
}

#[cold]
fn ask(memory: *mut u8, len: usize) {
    let skipped = memory.addr().next_multiple_of(PAGE) - memory.addr();
    let len = (len - skipped) / PAGE * PAGE;
    // SAFETY: the range lies within what was just allocated, and the advice changes nothing of what it holds (madvise(2)).
    // Whether it is heeded makes a difference of time alone.
    let _ = unsafe { libc::madvise(memory.wrapping_add(skipped).cast(), len, libc::MADV_HUGEPAGE) };
}
