//! Secrets that are read from files.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use secrecy::SecretString;

/// A secret in a file. Read at each use, so that it can be rotated without a restart.
#[derive(Clone, Debug)]
pub struct SecretFile(PathBuf);

impl SecretFile {
    /// Does not read the file yet.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self(path.as_ref().to_owned())
    }

    /// The current content of the file, without surrounding white space. Fails if it is empty.
    pub async fn read(&self) -> anyhow::Result<SecretString> {
        let text = tokio::fs::read_to_string(&self.0)
            .await
            .with_context(|| format!("reading {}", self.0.display()))?;
        let secret = text.trim();
        ensure!(!secret.is_empty(), "{} is empty", self.0.display());
        Ok(SecretString::from(secret.to_owned()))
    }
}
