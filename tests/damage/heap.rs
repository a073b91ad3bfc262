//! How much memory a thread has taken, and the most of it.
#![allow(unsafe_code, reason = "an allocator cannot be had without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// Forgets the peak; returns what this thread has taken now, in bytes.
pub fn reset_peak() -> usize {
    PEAK.set(TAKEN.get());
    TAKEN.get()
}

/// The most that this thread had taken since then.
pub fn peak() -> usize {
    PEAK.get()
}

/// What one thread takes another may give back, so that the count may fall below 0.
fn count(taken: usize, given: usize) {
    // While a thread ends its counts are gone already.
    let _ = TAKEN.try_with(|count| {
        count.set((count.get() + taken).saturating_sub(given));
        PEAK.set(PEAK.get().max(count.get()));
    });
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller has promised what `alloc` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller has promised what `dealloc` asks for, and the pointer came from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller has promised what `alloc_zeroed` asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may be there for a moment.
        count(size, 0);
        count(0, layout.size());
        // SAFETY: the caller has promised what `realloc` asks for, and the pointer came from the system's allocator.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
