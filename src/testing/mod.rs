//! What tests need: a Salesforce org on a loopback socket, faults on demand, and a clock that obeys.

mod clock;
pub mod org;

pub use self::clock::ManualClock;
