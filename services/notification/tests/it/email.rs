//! The texts of e-mails as their recipients read them, and what every text must have (NOT-005).

use cosell_proto::cosell::notification::v1 as pb;
use cosell_testkit::smtp::Mail;

/// The base of links in notifications.
pub const LINK_BASE: &str = "https://cosell.example.com";

/// The subject and the body of an e-mail, decoded.
#[derive(Clone, Debug)]
pub struct Email {
    pub subject: String,
    pub body: String,
}

impl Email {
    /// Requires the parts in the body, a link to the record, and the ids in the last line and in no other.
    pub fn require(&self, parts: &[&str], path: &str, last_line: &str) {
        let Self { subject, body } = self;
        for part in parts {
            assert!(body.contains(part), "{part} is missing: {subject}\n{body}");
        }
        let end = format!(": {LINK_BASE}{path}\n\n{last_line}\n");
        let text = body.strip_suffix(&end);
        let text = text.unwrap_or_else(|| panic!("the end is not {end}: {subject}\n{body}"));
        let words = last_line.split([' ', ',']);
        for id in words.filter(|word| word.contains(|letter: char| letter.is_ascii_digit() || letter == '-'))
        {
            assert!(
                !subject.contains(id) && !text.contains(id),
                "{id} is not only in the last line: {subject}\n{body}"
            );
        }
        // Neither ids of members nor of accounts.
        let shown = format!("{subject}\n{text}");
        let has_account = shown
            .split(|letter: char| !letter.is_ascii_digit())
            .any(|word| word.len() == 12);
        assert!(!shown.contains("mem-") && !has_account, "{shown}");
    }

    /// Requires that neither subject nor body has one of the texts.
    pub fn forbid(&self, texts: &[&str]) {
        let Self { subject, body } = self;
        for text in texts {
            assert!(
                !subject.contains(text) && !body.contains(text),
                "{text} is disclosed: {subject}\n{body}"
            );
        }
    }
}

impl From<&Mail> for Email {
    fn from(mail: &Mail) -> Self {
        // The SMTP client ends the data with a line break of its own.
        let body = mail.text();
        Self {
            subject: mail.subject(),
            body: body.strip_suffix('\n').expect("a last line").to_owned(),
        }
    }
}

impl From<pb::Notification> for Email {
    /// The text of an inbox entry, which is that of its e-mail.
    fn from(entry: pb::Notification) -> Self {
        Self {
            subject: entry.subject,
            body: entry.body,
        }
    }
}
