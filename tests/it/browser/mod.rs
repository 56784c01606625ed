//! What people do in a browser, done in a real one: Chromium without a window, driven by its own driver.
//!
//! `tests/run` finds or installs both and names the driver in `SFORCE_TEST_CHROMEDRIVER`. Without it the tests here say by
//! name that they were not run.

mod connect;
mod consent;
mod driver;

use driver::browser;
