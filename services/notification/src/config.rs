//! Options of this service only.

use std::path::PathBuf;

use tonic::transport::Uri;

use crate::unsubscribe::UnsubscribeArgs;

/// Options of the notification service.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// URL of the opportunity service, from which the content of notifications is read.
    #[arg(
        long,
        env = "COSELL_OPPORTUNITY_URL",
        default_value = "http://opportunity:50051"
    )]
    pub opportunity_url: String,

    /// URL of the referral service, from which referrals, offers and leads are read.
    #[arg(long, env = "COSELL_REFERRAL_URL", default_value = "http://referral:50051")]
    pub referral_url: String,

    /// URL of the collaboration service, from which channels and engagement invitations are read.
    #[arg(
        long,
        env = "COSELL_COLLABORATION_URL",
        default_value = "http://collaboration:50051"
    )]
    pub collaboration_url: String,

    /// Base of the links in notifications, such as `https://cosell.example.com`, without a slash at the end. Pages of
    /// records are below it, such as `/opportunities/O42`. Without it, notifications do not link to their records.
    #[arg(long, env = "COSELL_LINK_BASE", default_value = "", value_parser = link_base)]
    pub link_base: String,

    /// Host name of the mail server.
    #[arg(long, env = "COSELL_SMTP_HOST", default_value = "localhost")]
    pub smtp_host: String,

    /// Port of the mail server.
    #[arg(long, env = "COSELL_SMTP_PORT", default_value_t = 587)]
    pub smtp_port: u16,

    /// Encryption of connections to the mail server.
    #[arg(long, env = "COSELL_SMTP_SECURITY", default_value = "start-tls")]
    pub smtp_security: SmtpSecurity,

    /// User name at the mail server. Without it the service does not log in.
    #[arg(long, env = "COSELL_SMTP_USER", requires = "smtp_password_file")]
    pub smtp_user: Option<String>,

    /// File with the password of the user.
    #[arg(long, env = "COSELL_SMTP_PASSWORD_FILE")]
    pub smtp_password_file: Option<PathBuf>,

    /// Sender address of e-mails.
    #[arg(
        long,
        env = "COSELL_MAIL_FROM",
        default_value = "cosell <no-reply@cosell.invalid>"
    )]
    pub mail_from: String,

    /// Options of the links to opt out of e-mails.
    #[command(flatten)]
    pub unsubscribe: UnsubscribeArgs,
}

/// Encryption of connections to the mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SmtpSecurity {
    /// No encryption; for a server on the same machine.
    None,
    /// STARTTLS, required.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// Parses the base of links: empty, or a URL to which a path can be appended.
fn link_base(text: &str) -> Result<String, String> {
    let is_valid = || {
        let uri: Uri = text.parse().ok()?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let is_base = uri.query().is_none() && !text.contains('#') && !text.ends_with('/');
        (is_web && is_base && uri.host().is_some_and(|host| !host.is_empty())).then_some(())
    };
    if text.is_empty() || is_valid().is_some() {
        Ok(text.to_owned())
    } else {
        Err(
            "The base of links must be a URL with http or https, without query, fragment and slash at the end. \
             State one such as https://cosell.example.com."
                .to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_005_link_base_is_empty_or_a_url_without_trailing_slash() {
        for valid in ["", "https://cosell.example.com", "http://localhost:8080/cosell"] {
            assert_eq!(link_base(valid), Ok(valid.to_owned()));
        }
        for invalid in [
            "cosell.example.com",
            "ftp://cosell.example.com",
            "https://",
            "https://cosell.example.com/",
            "https://cosell.example.com?tab=1",
            "https://cosell.example.com#top",
            "https://cosell example.com",
        ] {
            assert!(link_base(invalid).is_err(), "{invalid}");
        }
    }
}
