//! What a database error means for a call. The driver's text goes to the log and nowhere else.

use cosell_grpc::{Failure, Retry};
use cosell_telemetry::metrics;

/// A failed statement, or one that came too late.
#[derive(Debug)]
pub enum Error {
    /// The row was no longer the one that was loaded: somebody else was faster.
    Overtaken,
    /// The statement failed.
    Failed(sqlx::Error),
    /// No connection became free in time; with why the last login failed, if it did.
    NoConnection(Option<String>),
}

impl Error {
    /// Whether a unique constraint or index, or a foreign key, of this name refused the row.
    pub fn violates(&self, constraint: &str) -> bool {
        matches!(self, Error::Failed(sqlx::Error::Database(error))
            if (error.is_unique_violation() || error.is_foreign_key_violation())
                && error.constraint() == Some(constraint))
    }

    /// A row that cannot be read as what it has to be: a fault of ours.
    pub fn corrupt(column: &str, cause: impl std::fmt::Display) -> Self {
        Error::Failed(sqlx::Error::Decode(format!("column {column}: {cause}").into()))
    }
}

/// Whether a row was written, out of the number of rows that a statement wrote.
pub fn written(rows: u64) -> Result<(), Error> {
    if rows == 0 { Err(Error::Overtaken) } else { Ok(()) }
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
            Error::NoConnection(cause) => {
                let cause = cause.unwrap_or_else(|| "all connections are in use".to_owned());
                return Failure::unavailable(Retry::Never, cause);
            }
            Error::Overtaken => {
                return Failure::concurrent_change("the revision was no longer the one loaded");
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
                    // row-level security, or a missing right: a fault of ours that the database has kept from mattering
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
