//! Reads the e-mails that the development mail server has stored.

use std::path::Path;

use anyhow::Context as _;
use mailparse::MailHeaderMap as _;

/// An e-mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The `To` header.
    pub to: String,
    /// The `Subject` header.
    pub subject: String,
    /// The decoded text.
    pub body: String,
}

/// All e-mails in a folder in the order of arrival.
pub fn read_all(folder: &Path) -> anyhow::Result<Vec<Mail>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    paths.sort();
    paths.iter().map(|path| parse(&std::fs::read(path)?)).collect()
}

fn parse(bytes: &[u8]) -> anyhow::Result<Mail> {
    let parsed = mailparse::parse_mail(bytes)?;
    let header = |name| parsed.headers.get_first_value(name).unwrap_or_default();
    Ok(Mail {
        to: header("To"),
        subject: header("Subject"),
        body: parsed.get_body()?,
    })
}
