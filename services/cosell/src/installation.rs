//! Which installation is called, and as whom.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cosell_types::{Caller, Clock};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

use crate::seed::members;
use crate::stack::{StackInfo, issuer};

/// Where to call and with which token: an address and a file with the token, or a development installation by its state
/// folder.
#[derive(Clone, Debug, clap::Args)]
pub struct Installation {
    /// Address for calls, such as `https://cosell.example`.
    #[arg(
        id = "installation.address",
        long = "address",
        value_name = "URL",
        env = "COSELL_ADDRESS",
        help_heading = "Installation"
    )]
    address: Option<String>,
    /// File with the token to call with.
    #[arg(
        id = "installation.token_file",
        long = "token-file",
        value_name = "FILE",
        env = "COSELL_TOKEN_FILE",
        help_heading = "Installation"
    )]
    token_file: Option<PathBuf>,
    /// Instead of both, the state folder of a development installation.
    #[arg(
        id = "installation.state",
        long = "dev-state",
        value_name = "FOLDER",
        env = "COSELL_STATE",
        help_heading = "Installation"
    )]
    state: Option<PathBuf>,
    /// With a state folder, the seeded member to call as, such as `alder-ace-user`.
    #[arg(
        id = "installation.member",
        long = "as",
        value_name = "MEMBER",
        env = "COSELL_AS",
        help_heading = "Installation"
    )]
    member: Option<String>,
}

impl Installation {
    /// A channel to it, and a member's token.
    pub fn as_member(&self) -> anyhow::Result<(Channel, String)> {
        self.open(|state| {
            let member = self
                .member
                .as_deref()
                .context("--as says which seeded member to call as")?;
            token_of(member, state)
        })
    }

    /// A channel to it, and a service's token.
    pub fn as_service(&self, name: &str) -> anyhow::Result<(Channel, String)> {
        self.open(|state| issuer(state, Clock::system())?.token(&Caller::Service(name.parse()?)))
    }

    fn open(&self, token_in: impl Fn(&Path) -> anyhow::Result<String>) -> anyhow::Result<(Channel, String)> {
        let (address, token) = match (&self.state, &self.address, &self.token_file) {
            (Some(state), ..) => (running(state)?.address, token_in(state)?),
            (None, Some(address), Some(file)) => {
                let token = std::fs::read_to_string(file).context("reading the token")?;
                (address.clone(), token.trim().to_owned())
            }
            _ => anyhow::bail!(
                "say which installation: --address and --token-file, or --dev-state (COSELL_ADDRESS and COSELL_TOKEN_FILE, \
                 or COSELL_STATE)"
            ),
        };
        let mut endpoint = Endpoint::from_shared(address)?;
        if endpoint.uri().scheme_str() == Some("https") {
            endpoint = endpoint.tls_config(ClientTlsConfig::new().with_native_roots())?;
        }
        Ok((endpoint.connect_lazy(), token))
    }
}

/// What runs with a state folder.
pub fn running(state: &Path) -> anyhow::Result<StackInfo> {
    let file = state.join("stack.json");
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("no stack runs with {}", state.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// A fresh token of a seeded member.
pub fn token_of(id: &str, state: &Path) -> anyhow::Result<String> {
    let member = members().into_iter().find(|member| member.id() == id);
    let member = member.with_context(|| format!("{id} is none of the seeded members"))?;
    anyhow::ensure!(
        state.join("issuer.key").exists(),
        "{} is no state folder",
        state.display()
    );
    issuer(state, Clock::system())?.token(&member.caller()?)
}

/// What a shell has to run so that further commands call as a seeded member.
pub fn login(id: &str, state: &Path) -> anyhow::Result<String> {
    let info = running(state)?;
    token_of(id, state)?;
    Ok(format!(
        "export COSELL_ADDRESS={}\nexport COSELL_TOKEN_FILE={}",
        info.address,
        info.tokens
            .canonicalize()
            .context("the folder of tokens")?
            .join(id)
            .display()
    ))
}
