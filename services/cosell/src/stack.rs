//! All services in one process, behind one address: for development, demonstrations and tests.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use cosell_events::{Bus, BusArgs};
use cosell_grpc::{Issuer, Listeners, ServeArgs, TokenSource, Verifier};
use cosell_notification::{Notifications, SmtpSecurity};
use cosell_opportunity::Opportunities;
use cosell_review::Reviews;
use cosell_service::{Host, Service};
use cosell_store::{Database, DbArgs, ProvisionArgs, migrate, provision};
use cosell_types::{Clock, random};
use serde::{Deserialize, Serialize};

use crate::seed::members;

/// Tokens last an hour; their files are written anew well before.
const NEW_TOKENS: Duration = Duration::from_secs(1800);

/// What the process needs.
#[derive(Clone, Debug, clap::Args)]
pub struct StackArgs {
    /// The database as its administrator, with password; roles and schemas are made in it. Better in the environment
    /// than on the command line, which others can see.
    #[arg(long, env = "COSELL_ADMIN_URL", hide_env_values = true)]
    pub admin_url: String,

    /// The database without user.
    #[arg(long)]
    pub database_url: String,

    /// NATS server.
    #[arg(long)]
    pub nats_url: String,

    /// Port of a mail server on this machine.
    #[arg(long)]
    pub smtp_port: u16,

    /// Folder for keys, passwords, tokens and what else is to be found again.
    #[arg(long)]
    pub state: PathBuf,

    /// Address for calls.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// Address for health checks.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub health_listen: SocketAddr,
}

/// What others need to know of a running process; kept in `stack.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StackInfo {
    /// Address for calls, as a URL.
    pub address: String,
    /// Address for health checks, as a URL.
    pub health: String,
    /// Folder with a file of each member's token.
    pub tokens: PathBuf,
    /// Account of each member.
    pub members: BTreeMap<String, String>,
}

/// All services, ready to serve.
pub struct Stack {
    host: Host,
    serve: ServeArgs,
    listeners: Listeners,
    issuer: Issuer,
    state: PathBuf,
    /// What others need to know.
    pub info: StackInfo,
}

/// The issuer of a state folder; its key is made when there is none.
pub fn issuer(state: &Path, clock: Clock) -> anyhow::Result<Issuer> {
    let path = state.join("issuer.key");
    if !path.exists() {
        fs::create_dir_all(state)?;
        keep_secret(&path, &Issuer::new_key()?)?;
    }
    Issuer::from_der(&fs::read(&path).context("reading the issuer's key")?, clock)
}

impl Stack {
    /// Makes roles and schemas, brings them up to date, seeds members, and starts the services.
    pub async fn prepare(args: &StackArgs, clock: Clock) -> anyhow::Result<Self> {
        fs::create_dir_all(&args.state).context("creating the state folder")?;
        let issuer = issuer(&args.state, clock.clone())?;
        let jwks = args.state.join("jwks.json");
        fs::write(&jwks, issuer.jwks())?;
        let people: Vec<_> = members().iter().map(|member| member.record()).collect();
        let members_file = args.state.join("members.json");
        fs::write(&members_file, serde_json::to_vec_pretty(&people)?)?;

        let serve = ServeArgs {
            listen: args.listen,
            health_listen: args.health_listen,
            max_calls: 256,
            account_rate: std::num::NonZeroU32::MAX,
            reflection: true,
            drain_seconds: 5,
            tls_cert: None,
            tls_key: None,
        };
        let listeners = Listeners::bind(&serve).await?;
        let address = format!("http://{}", listeners.address()?);
        let mut stack = Self {
            host: Host::new(
                Verifier::new(&issuer.auth_args(jwks.to_string_lossy()), clock.clone()),
                clock,
            ),
            serve,
            info: StackInfo {
                health: format!("http://{}", listeners.health_address()?),
                address: address.clone(),
                tokens: args.state.join("tokens"),
                members: members()
                    .iter()
                    .map(|member| (member.id(), member.account().to_owned()))
                    .collect(),
            },
            listeners,
            issuer,
            state: args.state.clone(),
        };
        let opportunity = cosell_opportunity::Options {
            review_url: address.clone(),
            catalog: "Sandbox".to_owned(),
        };
        stack.add::<Opportunities>(args, &opportunity).await?;
        stack
            .add::<Reviews>(
                args,
                &cosell_review::Options {
                    opportunity_url: address.clone(),
                },
            )
            .await?;
        let notification = cosell_notification::Options {
            opportunity_url: address,
            members_file: Some(members_file),
            smtp_host: "127.0.0.1".to_owned(),
            smtp_port: args.smtp_port,
            smtp_security: SmtpSecurity::None,
            smtp_user: None,
            smtp_password_file: None,
            mail_from: "cosell <no-reply@cosell.invalid>".to_owned(),
        };
        stack.add::<Notifications>(args, &notification).await?;
        write_tokens(&stack.issuer, &stack.info.tokens)?;
        Ok(stack)
    }

    async fn add<S: Service>(&mut self, args: &StackArgs, options: &S::Options) -> anyhow::Result<()> {
        let secrets = args.state.join("secrets");
        fs::create_dir_all(&secrets)?;
        for kind in ["owner", "app", "worker"] {
            let path = secrets.join(format!("{}_{kind}", S::NAME));
            if !path.exists() {
                let password: String = random::secret::<16>()
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                keep_secret(&path, password.as_bytes())?;
            }
        }
        let admin_url = args.admin_url.clone();
        provision(
            &ProvisionArgs {
                admin_url,
                database_secrets: Some(secrets.clone()),
            },
            S::NAME,
        )
        .await?;
        let db = DbArgs {
            database_url: args.database_url.clone(),
            database_secrets: Some(secrets),
            database_pool: 8,
        };
        migrate(&db, S::NAME, S::migrator()).await?;
        let bus = BusArgs {
            nats_url: args.nats_url.clone(),
            nats_credentials: None,
            stream_replicas: 1,
            stream_days: 30,
            stream_bytes: 1024 * 1024 * 1024,
            stream_duplicate_seconds: 1200,
        };
        let bus = Bus::connect(&bus, S::NAME).await?;
        let tokens = TokenSource::Issuer(Box::new(self.issuer.clone()), S::NAME.parse()?);
        self.host
            .add::<S>(Database::open(&db, S::NAME)?, bus, options, &tokens)
            .await
    }

    /// Serves until `stop` resolves. `stack.json` is there from the start until the end; tokens are kept fresh.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self {
            host,
            serve,
            listeners,
            issuer,
            state,
            info,
        } = self;
        let file = state.join("stack.json");
        fs::write(&file, serde_json::to_vec_pretty(&info)?)?;
        let tokens = info.tokens.clone();
        let renewing = tokio::spawn(async move {
            loop {
                tokio::time::sleep(NEW_TOKENS).await;
                if let Err(error) = write_tokens(&issuer, &tokens) {
                    tracing::error!(error = format!("{error:#}"), "tokens could not be written");
                }
            }
        });
        let result = host.serve(&serve, listeners, stop).await;
        renewing.abort();
        let _ = fs::remove_file(file);
        result
    }
}

/// One file a member, in a folder that only its owner can read.
fn write_tokens(issuer: &Issuer, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    for member in members() {
        keep_secret(
            &folder.join(member.id()),
            issuer.token(&member.caller()?)?.as_bytes(),
        )?;
    }
    Ok(())
}

fn keep_secret(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    // Written beside and moved into place: a reader never sees half a token.
    let beside = path.with_extension("new");
    fs::write(&beside, content)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o600))?;
    Ok(fs::rename(&beside, path)?)
}
