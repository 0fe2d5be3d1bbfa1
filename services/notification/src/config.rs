//! Options that only this service has.

use std::path::PathBuf;

/// Options of the notification service.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The opportunity service, for what notifications tell about a record.
    #[arg(
        long,
        env = "COSELL_OPPORTUNITY_URL",
        default_value = "http://opportunity:50051"
    )]
    pub opportunity_url: String,

    /// The collaboration service, for where channels are.
    #[arg(
        long,
        env = "COSELL_COLLABORATION_URL",
        default_value = "http://collaboration:50051"
    )]
    pub collaboration_url: String,

    /// The mail server.
    #[arg(long, env = "COSELL_SMTP_HOST", default_value = "localhost")]
    pub smtp_host: String,

    /// Its port.
    #[arg(long, env = "COSELL_SMTP_PORT", default_value_t = 587)]
    pub smtp_port: u16,

    /// How the connection to it is protected.
    #[arg(long, env = "COSELL_SMTP_SECURITY", default_value = "start-tls")]
    pub smtp_security: SmtpSecurity,

    /// User name at the mail server; none if absent.
    #[arg(long, env = "COSELL_SMTP_USER", requires = "smtp_password_file")]
    pub smtp_user: Option<String>,

    /// File with the password of that user.
    #[arg(long, env = "COSELL_SMTP_PASSWORD_FILE")]
    pub smtp_password_file: Option<PathBuf>,

    /// Address that mail comes from.
    #[arg(
        long,
        env = "COSELL_MAIL_FROM",
        default_value = "cosell <no-reply@cosell.invalid>"
    )]
    pub mail_from: String,
}

/// How a connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SmtpSecurity {
    /// Not at all; for a server on the same machine.
    None,
    /// STARTTLS, required.
    StartTls,
    /// TLS from the first byte.
    Tls,
}
