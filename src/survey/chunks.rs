//! A list that grows without moving what is in it.

/// So many the first chunk has room for, and each further one for twice as many as the one before it: chunks are soon long
/// enough for large pages, and a small capture reserves little.
const FIRST: usize = 1024;

/// A list in chunks. A place in it stays where it is.
pub struct Chunks<T>(Vec<Vec<T>>);

impl<T> Chunks<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (FIRST << (self.0.len() - 1)) - FIRST + last.len())
    }

    /// Adds one at the end.
    pub fn push(&mut self, one: T) {
        let (chunk, _) = split(self.len());
        if chunk == self.0.len() {
            self.0.push(Vec::with_capacity(FIRST << chunk));
        }
        if let Some(last) = self.0.last_mut() {
            last.push(one);
        }
    }

    /// The one at the place `at`, from 0.
    #[inline]
    pub fn get(&self, at: u32) -> Option<&T> {
        let (chunk, index) = split(at as usize);
        self.0.get(chunk)?.get(index)
    }

    /// The same, to be changed.
    #[inline]
    pub fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        let (chunk, index) = split(at as usize);
        self.0.get_mut(chunk)?.get_mut(index)
    }
}

impl<T> IntoIterator for Chunks<T> {
    type Item = T;
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Vec<T>>>;

    /// All of them; each chunk's memory is given back when it is done with.
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}

/// In which chunk the place `at` is, and where in it.
#[inline]
const fn split(at: usize) -> (usize, usize) {
    let chunk = (at / FIRST + 1).ilog2() as usize;
    (chunk, at + FIRST - (FIRST << chunk))
}

#[cfg(test)]
mod tests {
    use super::{Chunks, FIRST, split};

    #[test]
    fn each_chunk_holds_twice_what_the_one_before_holds() {
        let places = [
            (0, (0, 0)),
            (FIRST - 1, (0, FIRST - 1)),
            (FIRST, (1, 0)),
            (3 * FIRST - 1, (1, 2 * FIRST - 1)),
            (3 * FIRST, (2, 0)),
        ];
        for (at, place) in places {
            assert_eq!(split(at), place, "{at}");
        }
        assert_eq!(split(u32::MAX as usize).0, 22);
    }

    #[test]
    fn what_was_added_is_found_at_its_place() {
        let mut chunks = Chunks::new();
        for number in 0..8_000_u32 {
            assert_eq!(chunks.len(), number as usize);
            chunks.push(number);
        }
        assert!((0..8_000).all(|at| chunks.get(at) == Some(&at)));
        assert_eq!((chunks.get(8_000), chunks.get(u32::MAX)), (None, None));
        assert!(chunks.into_iter().eq(0..8_000));
    }
}
