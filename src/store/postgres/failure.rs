//! What can go wrong with PostgreSQL, and how it is told.

use std::time::Duration;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::SqlState;

use crate::error::{Error, Retry};
use crate::store::failed;

/// How often a commit is tried that met others: each time another one got through, so this is seldom more than two.
pub(super) const MAX_ATTEMPTS: u32 = 20;

pub(super) enum Failure {
    Postgres(tokio_postgres::Error),
    Pool(PoolError),
    TimedOut(Duration),
    Contended,
    Newer { found: i32, known: usize },
    Unexpected(&'static str),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Self::Postgres(error),
            other => Self::Pool(other),
        }
    }
}

impl Failure {
    fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Postgres(error) => error.code(),
            _ => None,
        }
    }

    /// Whether the server has undone the transaction because of others, so that it may be tried again at once.
    pub(super) fn is_lost_race(&self) -> bool {
        self.code().is_some_and(|code| {
            *code == SqlState::T_R_DEADLOCK_DETECTED || *code == SqlState::T_R_SERIALIZATION_FAILURE
        })
    }

    /// Whether the server itself has refused: then nothing was done. A server that is being stopped says so, too, perhaps
    /// after it has committed.
    pub(super) fn is_an_answer(&self) -> bool {
        matches!(self, Self::Contended | Self::Newer { .. })
            || self.code().is_some_and(|code| !matches!(&code.code()[..2], "57" | "08"))
    }

    pub(super) fn into_error(self, operation: &'static str) -> Error {
        let later = Retry::After(None);
        match self {
            Self::Postgres(error) => from_postgres(operation, error),
            Self::Pool(PoolError::Timeout(TimeoutType::Wait)) => failed(operation, "no connection of the pool is free")
                .with_retry(later)
                .with_advice("make the pool larger"),
            Self::Pool(PoolError::Timeout(_)) => {
                failed(operation, "PostgreSQL did not answer in time").with_retry(later)
            }
            Self::Pool(error @ PoolError::Closed) => failed(operation, "the pool is closed").with_source(error),
            Self::Pool(error @ PoolError::NoRuntimeSpecified) => {
                failed(operation, "the pool has time limits but no runtime").with_source(error)
            }
            // Hooks are the caller's code: what they say may be anything.
            Self::Pool(_) => failed(operation, "a hook of the pool refused").with_retry(later),
            Self::TimedOut(limit) => failed(operation, "PostgreSQL did not answer in time")
                .with_retry(later)
                .with_context("seconds", limit.as_secs_f32()),
            Self::Contended => failed(operation, "too many others write the same keys").with_retry(later),
            Self::Newer { found, known } => failed(operation, "the tables have a newer format than this version knows")
                .with_context("format", found)
                .with_context("known", known)
                .with_advice("upgrade this process"),
            Self::Unexpected(what) => {
                failed(operation, "the tables hold what this crate has not written").with_context("found", what)
            }
        }
    }
}

/// The server's own message is told, its detail is not: that may quote a whole row.
fn from_postgres(operation: &'static str, error: tokio_postgres::Error) -> Error {
    let Some(answer) = error.as_db_error() else {
        let io = std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
        let message =
            if io || error.is_closed() { "PostgreSQL cannot be reached" } else { "PostgreSQL cannot be used" };
        return failed(operation, message).with_retry(Retry::After(None)).with_source(error);
    };
    let code = answer.code();
    let later = Retry::After(None);
    let worded = match *code {
        SqlState::QUERY_CANCELED => failed(operation, "PostgreSQL did not answer in time").with_retry(later),
        SqlState::INSUFFICIENT_PRIVILEGE => failed(operation, "the role may not do this in PostgreSQL")
            .with_advice("grant it, or let another role run `store::postgres::migrations_sql`"),
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            failed(operation, "PostgreSQL takes no writes: is it a standby?").with_retry(later)
        }
        SqlState::UNDEFINED_TABLE
        | SqlState::UNDEFINED_COLUMN
        | SqlState::INVALID_SCHEMA_NAME
        | SqlState::DATATYPE_MISMATCH => failed(operation, "the tables are missing or not ours")
            .with_advice("open the store again, or choose another schema"),
        _ => match &code.code()[..2] {
            // Connection, resources, shutting down, system error, rolled back.
            "08" | "53" | "57" | "58" | "40" => {
                failed(operation, "PostgreSQL is out of service for now").with_retry(later)
            }
            "55" => failed(operation, "PostgreSQL holds a lock on this").with_retry(later),
            "28" | "3D" => failed(operation, "PostgreSQL does not let us in"),
            "XX" => failed(operation, "PostgreSQL reports damaged data").with_advice("restore it from a backup"),
            _ => failed(operation, "PostgreSQL refused the statement"),
        },
    };
    worded.with_context("code", code.code()).with_context("server", answer.message())
}
