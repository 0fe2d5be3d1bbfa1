//! All services in one process behind one address, for development, demos and tests.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use cosell_collaboration::Collaboration;
use cosell_events::{Bus, BusArgs};
use cosell_grpc::{Issuer, Listeners, ServeArgs, TokenSource, Verifier};
use cosell_notification::{Notifications, SmtpSecurity, UnsubscribeArgs};
use cosell_opportunity::{ImportLimits, Opportunities};
use cosell_partner_connection::Partners;
use cosell_referral::Referrals;
use cosell_review::Reviews;
use cosell_service::{Host, Platform, Service};
use cosell_store::{Database, DbArgs, ProvisionArgs, migrate, provision};
use cosell_types::{Caller, Clock, random};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tonic::Status;
use tonic::transport::Endpoint;

use crate::directory;
use crate::reference;
use crate::seed::{directory_records, seed_members};

/// The interval at which token files are rewritten. Tokens are valid for an hour.
const TOKEN_INTERVAL: Duration = Duration::from_secs(1800);
/// Solutions of the seeded partners, and some products of AWS.
const CATALOGS: &str = include_str!("../demo/reference.jsonl");
/// The pause between attempts to seed grows from the first to the second.
const MIN_PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// The interval at which failed attempts to seed are logged.
const LOG_INTERVAL: Duration = Duration::from_secs(10);
/// The limit for waiting until the services have applied the seeded members. Services query the directory for members
/// that they do not know.
const CONSUMER_LIMIT: Duration = Duration::from_secs(300);

/// Options of `cosell up`.
#[derive(Clone, Debug, clap::Args)]
pub struct StackArgs {
    /// Database URL of an administrator, with password, for creating roles and schemas. Prefer the environment
    /// variable: other users of the machine can see the command line.
    #[arg(long, env = "COSELL_ADMIN_URL", hide_env_values = true)]
    pub admin_url: String,

    /// Database URL without user.
    #[arg(long)]
    pub database_url: String,

    /// URL of the NATS server.
    #[arg(long)]
    pub nats_url: String,

    /// Port of an SMTP server on this machine.
    #[arg(long)]
    pub smtp_port: u16,

    /// Folder for keys, passwords, tokens and other persistent state.
    #[arg(long)]
    pub state: PathBuf,

    /// Listen address for calls.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// Listen address for health checks.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub health_listen: SocketAddr,

    /// Listen address for the pages of channel links. The links contain this address.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub channel_listen: SocketAddr,

    /// Listen address for the links to opt out of e-mails. The links contain this address.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub unsubscribe_listen: SocketAddr,

    /// Maximum sustained calls per second of one account; unlimited if absent.
    #[arg(long, env = "COSELL_ACCOUNT_RATE")]
    pub account_rate: Option<NonZeroU32>,

    /// Limits of import files.
    #[command(flatten)]
    pub import: ImportLimits,
}

/// The addresses and members of a running process, stored in `stack.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StackInfo {
    /// URL for calls.
    pub address: String,
    /// URL for health checks.
    pub health: String,
    /// Folder with one token file for each member.
    pub tokens: PathBuf,
    /// Account ids by member id.
    pub members: BTreeMap<String, String>,
}

/// All services, ready to serve.
pub struct Stack {
    host: Host,
    serve: ServeArgs,
    listeners: Listeners,
    issuer: Issuer,
    state: PathBuf,
    bus: Option<Bus>,
    /// The content of `stack.json`.
    pub info: StackInfo,
}

/// The issuer of a state folder. Creates its key if there is none.
pub fn issuer(state: &Path, clock: Clock) -> anyhow::Result<Issuer> {
    let path = state.join("issuer.key");
    if !path.exists() {
        fs::create_dir_all(state)?;
        write_secret(&path, &Issuer::new_key()?)?;
    }
    Issuer::from_der(&fs::read(&path).context("reading the issuer's key")?, clock)
}

impl Stack {
    /// Creates roles and schemas, migrates them, and assembles the services.
    pub async fn prepare(args: &StackArgs, clock: Clock) -> anyhow::Result<Self> {
        fs::create_dir_all(&args.state).context("creating the state folder")?;
        let issuer = issuer(&args.state, clock.clone())?;
        let jwks = args.state.join("jwks.json");
        fs::write(&jwks, issuer.jwks())?;

        let serve = ServeArgs {
            listen: args.listen,
            health_listen: args.health_listen,
            max_calls: 256,
            account_rate: args.account_rate.unwrap_or(NonZeroU32::MAX),
            address_connections: 256,
            proxies: Vec::new(),
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
                members: seed_members()
                    .iter()
                    .map(|member| (member.id(), member.account().to_owned()))
                    .collect(),
            },
            listeners,
            issuer,
            state: args.state.clone(),
            bus: None,
        };
        let opportunity = cosell_opportunity::Options {
            review_url: address.clone(),
            referral_url: address.clone(),
            catalog: "Sandbox".to_owned(),
            import: args.import,
            ..cosell_opportunity::Options::default()
        };
        let partner = cosell_partner_connection::Options::default();
        stack.add::<Partners>(args, &partner).await?;
        stack.add::<Opportunities>(args, &opportunity).await?;
        stack
            .add::<Reviews>(
                args,
                &cosell_review::Options {
                    opportunity_url: address.clone(),
                },
            )
            .await?;
        let referral = cosell_referral::Options::new(address.clone());
        stack.add::<Referrals>(args, &referral).await?;
        let collaboration = collaboration_options(args, &address)?;
        stack.add::<Collaboration>(args, &collaboration).await?;
        let notification = cosell_notification::Options {
            opportunity_url: address.clone(),
            referral_url: address.clone(),
            collaboration_url: address,
            // There are no pages to link to.
            link_base: String::new(),
            smtp_host: "127.0.0.1".to_owned(),
            smtp_port: args.smtp_port,
            smtp_security: SmtpSecurity::None,
            smtp_user: None,
            smtp_password_file: None,
            mail_from: "cosell <no-reply@cosell.invalid>".to_owned(),
            unsubscribe: unsubscribe_args(args)?,
        };
        stack.add::<Notifications>(args, &notification).await?;
        write_tokens(&stack.issuer, &stack.info.tokens)?;
        Ok(stack)
    }

    async fn add<S: Service>(&mut self, args: &StackArgs, options: &S::Options) -> anyhow::Result<()> {
        let secrets = args.state.join("secrets");
        fs::create_dir_all(&secrets)?;
        for kind in ["owner", "app", "consumer", "worker"] {
            let path = secrets.join(format!("{}_{kind}", S::NAME));
            if !path.exists() {
                let password: String = random::secret::<16>()
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                write_secret(&path, password.as_bytes())?;
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
        self.bus = Some(bus.clone());
        let platform = Platform {
            tokens: TokenSource::Issuer(Box::new(self.issuer.clone()), S::NAME.parse()?),
            partner_url: self.info.address.clone(),
        };
        self.host
            .add::<S>(Database::open(&db, S::NAME)?, bus, options, &platform)
            .await
    }

    /// Serves until `stop` resolves. Writes `stack.json` once the seed is applied and removes it at the end; rewrites
    /// token files before the tokens expire.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self {
            host,
            serve,
            listeners,
            issuer,
            state,
            bus,
            info,
        } = self;
        let file = state.join("stack.json");
        let (own_file, own_issuer) = (file.clone(), issuer.clone());
        let tokens = info.tokens.clone();
        let ready = tokio::spawn(async move {
            seed(&info, &own_issuer, bus.as_ref()).await;
            let written = serde_json::to_vec_pretty(&info)
                .map_err(anyhow::Error::from)
                .and_then(|text| write_secret(&own_file, &text));
            if let Err(error) = written {
                tracing::error!(error = format!("{error:#}"), "writing stack.json failed");
            }
            loop {
                tokio::time::sleep(TOKEN_INTERVAL).await;
                if let Err(error) = write_tokens(&issuer, &tokens) {
                    tracing::error!(error = format!("{error:#}"), "writing tokens failed");
                }
            }
        });
        let result = host.serve(&serve, listeners, stop).await;
        ready.abort();
        let _ = fs::remove_file(file);
        result
    }
}

/// Applies the seed to the directory and the catalogs. Retries until it succeeds, because services and servers may
/// still be starting. Returns once all services have applied the members, so that they can also process early events.
async fn seed(info: &StackInfo, issuer: &Issuer, bus: Option<&Bus>) {
    let mut pause = MIN_PAUSE;
    let (mut last_log, mut attempts) = (Instant::now(), 0_u32);
    let published = loop {
        match try_seed(info, issuer).await {
            // The summary does not count what an earlier, failed attempt has applied.
            Ok(summary) if attempts > 0 => break summary.total(),
            Ok(summary) => break summary.created + summary.updated,
            Err(error) => {
                attempts += 1;
                if last_log.elapsed() > LOG_INTERVAL {
                    last_log = Instant::now();
                    tracing::warn!(error = format!("{error:#}"), attempts, "seeding failed");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
    };
    if let Some(bus) = bus.filter(|_| published > 0)
        && tokio::time::timeout(CONSUMER_LIMIT, wait_for_consumers(bus, published))
            .await
            .is_err()
    {
        tracing::warn!("seeded members not applied by all services in time");
    }
}

async fn try_seed(info: &StackInfo, issuer: &Issuer) -> anyhow::Result<directory::Summary> {
    let channel = Endpoint::from_shared(info.address.clone())?.connect_lazy();
    let token = issuer.token(&Caller::Service("provisioner".parse()?))?;
    let records = futures::stream::iter(directory_records());
    let mut log_refusal = |number: i64, refusal: Status| {
        tracing::error!(number, refusal = refusal.message(), "seeded record refused");
    };
    let summary = directory::apply(channel.clone(), &token, records, &mut log_refusal).await?;
    tracing::info!(?summary, "directory seeded");
    reference::load(
        channel,
        &token,
        reference::read_batches(CATALOGS.as_bytes())?,
        false,
    )
    .await?;
    Ok(summary)
}

/// Waits until every service has applied the events of the directory.
async fn wait_for_consumers(bus: &Bus, published: u64) {
    for service in [
        "collaboration",
        "notification",
        "opportunity",
        "referral",
        "review",
    ] {
        let consumer = format!("{service}-{}", Partners::NAME);
        while !matches!(
            bus.has_caught_up(Partners::NAME, &consumer, published).await,
            Ok(true)
        ) {
            tokio::time::sleep(MIN_PAUSE).await;
        }
    }
}

/// Writes one token file for each member, to a folder that only its owner can read.
fn write_tokens(issuer: &Issuer, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    for member in seed_members() {
        write_secret(
            &folder.join(member.id()),
            issuer.token(&member.caller()?)?.as_bytes(),
        )?;
    }
    Ok(())
}

/// Options of collaboration with links that this process serves.
fn collaboration_options(
    args: &StackArgs,
    opportunity_url: &str,
) -> anyhow::Result<cosell_collaboration::Options> {
    let key_file = signing_key(args, "channel_link.key")?;
    let mut options = cosell_collaboration::Options::new(opportunity_url.to_owned());
    options.channel_link_key_file = Some(key_file);
    // Links contain the address.
    let listener = TcpListener::bind(args.channel_listen)
        .with_context(|| format!("listening on {}", args.channel_listen))?;
    options.channel_link_base = format!("http://{}", options.provider.listen_on(listener)?);
    Ok(options)
}

/// Links to opt out of e-mails that this process serves.
fn unsubscribe_args(args: &StackArgs) -> anyhow::Result<UnsubscribeArgs> {
    let mut unsubscribe = UnsubscribeArgs {
        unsubscribe_key_file: Some(signing_key(args, "unsubscribe.key")?),
        ..UnsubscribeArgs::default()
    };
    let listener = TcpListener::bind(args.unsubscribe_listen)
        .with_context(|| format!("listening on {}", args.unsubscribe_listen))?;
    unsubscribe.unsubscribe_base = format!("http://{}", unsubscribe.listen_on(listener)?);
    Ok(unsubscribe)
}

/// The file of the key that signs links. Creates the key if there is none.
fn signing_key(args: &StackArgs, name: &str) -> anyhow::Result<PathBuf> {
    let path = args.state.join(name);
    if !path.exists() {
        write_secret(&path, &random::secret::<32>())?;
    }
    Ok(path)
}

/// Writes a file that only its owner can read. Writes to a temporary file and renames it, so that readers never see a
/// partial file.
fn write_secret(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let temporary = path.with_extension("new");
    fs::write(&temporary, content)?;
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600))?;
    Ok(fs::rename(&temporary, path)?)
}
