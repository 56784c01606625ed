//! The products' own terms, and how their data comes in.

pub mod engagement;
mod json_lines;
pub mod presets;
pub mod setup;

pub use self::json_lines::{JsonLines, Line};
