//! How keys are hashed.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::decode::Key;

/// Alike in all surveys that share a capture, and not in a way that a capture's author can foresee.
#[derive(Clone, Debug)]
pub struct Hasher(FixedState);

impl Hasher {
    /// Hashes by `seed`.
    pub fn new(seed: u64) -> Self {
        Self(FixedState::with_seed(seed))
    }

    /// The hash of `key`.
    #[inline]
    pub fn hash(&self, key: &Key) -> u64 {
        self.0.hash_one(key)
    }
}
