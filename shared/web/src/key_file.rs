use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use aws_lc_rs::hmac;

/// The minimum length of a signing key in bytes: that of the digest (RFC 2104).
const MIN_KEY: usize = 32;

/// A key for HMAC-SHA-256 in a file. Read at each use, so that it can be replaced without a restart.
#[derive(Clone, Debug)]
pub struct KeyFile(PathBuf);

impl KeyFile {
    /// Fails unless the file has a key now.
    pub fn open(path: impl AsRef<Path>) -> anyhow::Result<Self> {
        let file = Self(path.as_ref().to_owned());
        file.parse(std::fs::read(&file.0))?;
        Ok(file)
    }

    /// The current key. Fails if the file cannot be read or has fewer than 32 bytes.
    pub async fn read(&self) -> anyhow::Result<hmac::Key> {
        self.parse(tokio::fs::read(&self.0).await)
    }

    fn parse(&self, content: std::io::Result<Vec<u8>>) -> anyhow::Result<hmac::Key> {
        let path = self.0.display();
        let key = content.with_context(|| format!("reading {path}"))?;
        ensure!(key.len() >= MIN_KEY, "{path} has fewer than {MIN_KEY} bytes");
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(key: &hmac::Key) -> Vec<u8> {
        hmac::sign(key, b"text").as_ref().to_vec()
    }

    #[tokio::test]
    async fn replaced_key_is_used_and_missing_or_short_key_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        assert!(KeyFile::open(&path).is_err());
        std::fs::write(&path, [1; 32]).expect("a key");
        let file = KeyFile::open(&path).expect("a key");
        let first = sign(&file.read().await.expect("a key"));
        std::fs::write(&path, [2; 40]).expect("another key");
        let second = sign(&file.read().await.expect("a key"));
        assert_ne!(first, second);
        std::fs::write(&path, [1; 31]).expect("a short key");
        assert!(file.read().await.is_err() && KeyFile::open(&path).is_err());
        std::fs::remove_file(&path).expect("a removed file");
        assert!(file.read().await.is_err());
    }
}
