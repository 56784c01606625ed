//! What tests need: a Salesforce org on a loopback socket, faults on demand, a clock that obeys, and the
//! contracts of plug-in traits as tests.

mod clock;
pub mod conformance;
pub mod org;

pub use self::clock::ManualClock;
