//! The socket API, pure: calls, their outcomes, error numbers, and what a call would return next.

pub mod call;
pub mod errno;
pub mod loopback;
pub mod outlook;
pub mod settled;
