//! Secrets in files.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use secrecy::SecretString;

/// A secret in a file, read at each use, so that it can be replaced while the service runs.
#[derive(Clone, Debug)]
pub struct SecretFile(PathBuf);

impl SecretFile {
    /// The secret in this file.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self(path.as_ref().to_owned())
    }

    /// What is in the file now, without the white space around it.
    pub async fn read(&self) -> anyhow::Result<SecretString> {
        let text = tokio::fs::read_to_string(&self.0)
            .await
            .with_context(|| format!("reading {}", self.0.display()))?;
        let secret = text.trim();
        ensure!(!secret.is_empty(), "{} is empty", self.0.display());
        Ok(SecretString::from(secret.to_owned()))
    }
}
