//! Command-line options of the links to opt out of e-mails.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;

use super::UnsubscribeLinks;

/// Options of the links to opt out of e-mails: all three or none.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct UnsubscribeArgs {
    /// Public base URL of the listener for links to opt out of e-mails, as it is written into their headers. Without it
    /// e-mails have no such links.
    #[arg(long, env = "COSELL_UNSUBSCRIBE_BASE", default_value = "")]
    pub unsubscribe_base: String,

    /// Address on which to listen for the links, behind a proxy that terminates TLS.
    #[arg(long, env = "COSELL_UNSUBSCRIBE_LISTEN")]
    pub unsubscribe_listen: Option<SocketAddr>,

    /// File with the key that signs the links, at least 32 random bytes; read at each use.
    #[arg(long, env = "COSELL_UNSUBSCRIBE_KEY_FILE")]
    pub unsubscribe_key_file: Option<PathBuf>,

    /// A listener that is bound to this address already, for a program that must know its port before the service
    /// starts.
    #[arg(skip)]
    pub unsubscribe_listener: Option<Arc<TcpListener>>,
}

impl UnsubscribeArgs {
    /// Takes over a bound listener, and returns its address.
    pub fn listen_on(&mut self, listener: TcpListener) -> std::io::Result<SocketAddr> {
        let address = listener.local_addr()?;
        self.unsubscribe_listen = Some(address);
        self.unsubscribe_listener = Some(Arc::new(listener));
        Ok(address)
    }

    /// The configured links, with the address that serves them. `None` without any of the options.
    pub(crate) fn links(&self) -> anyhow::Result<Option<(UnsubscribeLinks, SocketAddr)>> {
        let base = Some(&self.unsubscribe_base).filter(|base| !base.is_empty());
        match (base, self.unsubscribe_listen, &self.unsubscribe_key_file) {
            (None, None, None) => Ok(None),
            (Some(base), Some(address), Some(key_file)) => {
                Ok(Some((UnsubscribeLinks::new(base, key_file)?, address)))
            }
            (base, address, key_file) => {
                let missing: Vec<_> = [
                    ("--unsubscribe-base", base.is_none()),
                    ("--unsubscribe-listen", address.is_none()),
                    ("--unsubscribe-key-file", key_file.is_none()),
                ]
                .into_iter()
                .filter_map(|(option, is_missing)| is_missing.then_some(option))
                .collect();
                bail!(
                    "Links to opt out of e-mails require all of their options. State also {}.",
                    missing.join(" and ")
                )
            }
        }
    }
}
