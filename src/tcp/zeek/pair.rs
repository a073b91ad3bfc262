//! The same of both ends.

/// One `T` for the originator and one for the responder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair<T> {
    originator: T,
    responder: T,
}

impl<T> Pair<T> {
    /// The originator's, or else the responder's.
    #[inline]
    pub const fn of(&self, originator: bool) -> &T {
        if originator { &self.originator } else { &self.responder }
    }

    /// The originator's, or else the responder's, to be changed.
    pub const fn of_mut(&mut self, originator: bool) -> &mut T {
        self.split(originator).0
    }

    /// That one and the other.
    #[inline]
    pub const fn split(&mut self, originator: bool) -> (&mut T, &mut T) {
        let Self { originator: first, responder: second } = self;
        if originator { (first, second) } else { (second, first) }
    }

    /// Makes the originator the responder.
    pub const fn exchange(&mut self) {
        std::mem::swap(&mut self.originator, &mut self.responder);
    }
}
