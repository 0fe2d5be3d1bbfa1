//! Options of this service only.

use std::path::PathBuf;

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

    /// URL of the collaboration service, from which links of channels are read.
    #[arg(
        long,
        env = "COSELL_COLLABORATION_URL",
        default_value = "http://collaboration:50051"
    )]
    pub collaboration_url: String,

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
