//! All services in one process, behind one address: for development, demonstrations and tests.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use cosell_collaboration::Collaboration;
use cosell_events::{Bus, BusArgs};
use cosell_grpc::{Issuer, Listeners, ServeArgs, TokenSource, Verifier};
use cosell_notification::{Notifications, SmtpSecurity};
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
use crate::seed::{members, records};

/// Tokens last an hour; their files are written anew well before.
const NEW_TOKENS: Duration = Duration::from_secs(1800);
/// Solutions of the seeded partners, and some products of AWS.
const CATALOGS: &str = include_str!("../demo/reference.jsonl");
/// Pauses between attempts at seeding grow between these.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often it is logged that seeding still fails.
const REPORT: Duration = Duration::from_secs(10);
/// How long to wait for the services to receive the seeded members. Without them they ask the directory.
const CATCH_UP: Duration = Duration::from_secs(300);

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

    /// How much a file may hold.
    #[command(flatten)]
    pub import: ImportLimits,
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
    bus: Option<Bus>,
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
        let collaboration = cosell_collaboration::Options {
            // Deals of the journey are large enough for a channel.
            channel_min_spend: 1_000,
            ..cosell_collaboration::Options::new(address.clone())
        };
        stack.add::<Collaboration>(args, &collaboration).await?;
        let notification = cosell_notification::Options {
            opportunity_url: address.clone(),
            collaboration_url: address,
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
        self.bus = Some(bus.clone());
        let platform = Platform {
            tokens: TokenSource::Issuer(Box::new(self.issuer.clone()), S::NAME.parse()?),
            partner_url: self.info.address.clone(),
        };
        self.host
            .add::<S>(Database::open(&db, S::NAME)?, bus, options, &platform)
            .await
    }

    /// Serves until `stop` resolves. `stack.json` is there from when everybody is seeded until the end; tokens are kept
    /// fresh.
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
                .and_then(|text| keep_secret(&own_file, &text));
            if let Err(error) = written {
                tracing::error!(error = format!("{error:#}"), "stack.json could not be written");
            }
            loop {
                tokio::time::sleep(NEW_TOKENS).await;
                if let Err(error) = write_tokens(&issuer, &tokens) {
                    tracing::error!(error = format!("{error:#}"), "tokens could not be written");
                }
            }
        });
        let result = host.serve(&serve, listeners, stop).await;
        ready.abort();
        let _ = fs::remove_file(file);
        result
    }
}

/// Puts everybody into the directory and loads the catalogs, again and again until it succeeds: what it needs may still
/// be starting, on a slow machine for minutes. Returns when all services have the members, so that events of the first
/// minute reach them too.
async fn seed(info: &StackInfo, issuer: &Issuer, bus: Option<&Bus>) {
    let mut pause = SHORTEST_PAUSE;
    let (mut begun, mut attempts) = (Instant::now(), 0_u32);
    let published = loop {
        match try_seed(info, issuer).await {
            // What an earlier attempt did before it failed is not in the answer to this one.
            Ok(summary) if attempts > 0 => break summary.total(),
            Ok(summary) => break summary.created + summary.updated,
            Err(error) => {
                attempts += 1;
                if begun.elapsed() > REPORT {
                    begun = Instant::now();
                    tracing::warn!(
                        error = format!("{error:#}"),
                        attempts,
                        "seeding failed; trying again"
                    );
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    };
    if let Some(bus) = bus.filter(|_| published > 0)
        && tokio::time::timeout(CATCH_UP, all_caught_up(bus, published))
            .await
            .is_err()
    {
        tracing::warn!("some services have not received all members yet");
    }
}

async fn try_seed(info: &StackInfo, issuer: &Issuer) -> anyhow::Result<directory::Summary> {
    let channel = Endpoint::from_shared(info.address.clone())?.connect_lazy();
    let token = issuer.token(&Caller::Service("provisioner".parse()?))?;
    let records = futures::stream::iter(records());
    let mut report = |number: i64, refusal: Status| {
        tracing::error!(number, refusal = refusal.message(), "seeded record refused");
    };
    let summary = directory::apply(channel.clone(), &token, records, &mut report).await?;
    tracing::info!(?summary, "directory seeded");
    reference::load(channel, &token, reference::batches(CATALOGS.as_bytes())?, false).await?;
    Ok(summary)
}

/// Returns when every service has applied the events of the directory.
async fn all_caught_up(bus: &Bus, published: u64) {
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
            tokio::time::sleep(SHORTEST_PAUSE).await;
        }
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

/// Writes a file that only its owner reads: beside its place, then moved there, so that a reader never sees half of it.
fn keep_secret(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let beside = path.with_extension("new");
    fs::write(&beside, content)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o600))?;
    Ok(fs::rename(&beside, path)?)
}
