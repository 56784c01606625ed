//! Types as the generator writes them.

pub(super) mod hostile;
pub(super) mod org;
