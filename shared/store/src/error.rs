//! What a database error means for a call. The driver's text goes to the log and nowhere else.

use cosell_grpc::{Failure, Retry};

/// A failed statement.
#[derive(Debug)]
pub struct Error(sqlx::Error);

impl Error {
    /// Whether a unique constraint or index of this name refused the row.
    pub fn violates(&self, constraint: &str) -> bool {
        matches!(&self.0, sqlx::Error::Database(error)
            if error.is_unique_violation() && error.constraint() == Some(constraint))
    }

    /// A row that cannot be read as what it has to be: a fault of ours.
    pub fn corrupt(column: &str, cause: impl std::fmt::Display) -> Self {
        Error(sqlx::Error::Decode(format!("column {column}: {cause}").into()))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Error(error)
    }
}

impl From<Error> for Failure {
    fn from(Error(error): Error) -> Failure {
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
