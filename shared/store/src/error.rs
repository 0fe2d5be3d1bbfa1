//! Converts database errors to failures of a call. The text of the driver is logged and never sent.

use cosell_grpc::{Failure, Retry};
use cosell_telemetry::metrics;

/// A database error.
#[derive(Debug)]
pub enum Error {
    /// Version conflict: the row was modified concurrently since it was loaded.
    VersionConflict,
    /// The statement failed.
    Failed(sqlx::Error),
    /// No connection was available in time; with the cause, unless all are in use by transactions that make progress.
    NoConnection(Option<String>),
}

impl Error {
    /// Whether the statement violated the unique constraint, unique index or foreign key of this name.
    pub fn violates(&self, constraint: &str) -> bool {
        matches!(self, Error::Failed(sqlx::Error::Database(error))
            if (error.is_unique_violation() || error.is_foreign_key_violation())
                && error.constraint() == Some(constraint))
    }

    /// A stored value that cannot be decoded: an internal error.
    pub fn corrupt(column: &str, cause: impl std::fmt::Display) -> Self {
        Error::Failed(sqlx::Error::Decode(format!("column {column}: {cause}").into()))
    }
}

/// Fails with a version conflict if a statement affected no row.
pub fn require_written(rows: u64) -> Result<(), Error> {
    if rows == 0 {
        Err(Error::VersionConflict)
    } else {
        Ok(())
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Error::Failed(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let error = match error {
            Error::Failed(error) => error,
            Error::NoConnection(Some(cause)) => return Failure::unavailable(Retry::Never, cause),
            // The database works, but for others: a caller that retries later finds it free.
            Error::NoConnection(None) => return Failure::overloaded(),
            Error::VersionConflict => {
                return Failure::concurrent_change(
                    "version conflict: the record was modified since it was loaded",
                );
            }
        };
        match &error {
            sqlx::Error::Database(database) => {
                let state = database.code().unwrap_or_default().into_owned();
                match state.as_str() {
                    // serialization failure, deadlock, lock not available
                    "40001" | "40P01" | "55P03" => Failure::concurrent_change(error),
                    // statement cancelled by its timeout
                    "57014" => Failure::deadline_exceeded(),
                    // server shutting down or starting; a replica that cannot write
                    "57P01" | "57P02" | "57P03" | "25006" => Failure::unavailable(Retry::Transaction, error),
                    // too many connections, out of memory or disk
                    state if state.starts_with("53") => Failure::unavailable(Retry::Never, error),
                    state if state.starts_with("08") => Failure::unavailable(Retry::Transaction, error),
                    // row-level security or a missing grant: a missing check of the service, without effect
                    "42501" => {
                        metrics::ISOLATION_BACKSTOP.add(1, &[]);
                        Failure::internal(error)
                    }
                    _ => Failure::internal(error),
                }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => Failure::unavailable(Retry::Transaction, error),
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Failure::unavailable(Retry::Never, error),
            _ => Failure::internal(error),
        }
    }
}
