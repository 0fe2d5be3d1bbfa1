//! Options and environment variables that select the installation to call and the token to call with.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};
use cosell_types::{Caller, Clock};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

use crate::seed::seed_members;
use crate::stack::{StackInfo, issuer};

/// Ids of the options. The dot prevents conflicts with ids that are derived from request fields.
const ADDRESS: &str = "installation.address";
const TOKEN_FILE: &str = "installation.token_file";
const STATE: &str = "installation.state";
const MEMBER: &str = "installation.member";

/// The values of the options and environment variables.
#[derive(Clone, Debug, Default, clap::Args)]
struct InstallationArgs {
    /// Address of the installation, such as `https://cosell.example`.
    #[arg(id = ADDRESS, long = "address", value_name = "URL", env = "COSELL_ADDRESS", help_heading = "Installation")]
    address: Option<String>,
    /// File with the bearer token.
    #[arg(id = TOKEN_FILE, long = "token-file", value_name = "FILE", value_parser = path_parser(), env = "COSELL_TOKEN_FILE", help_heading = "Installation")]
    token_file: Option<PathBuf>,
    /// State folder of a development installation, instead of address and token file.
    #[arg(id = STATE, long = "dev-state", value_name = "FOLDER", value_parser = path_parser(), env = "COSELL_STATE", help_heading = "Installation")]
    state: Option<PathBuf>,
    /// Seeded member to call as, such as `alder-ace-user`; only with a state folder.
    #[arg(id = MEMBER, long = "as", value_name = "MEMBER", env = "COSELL_AS", help_heading = "Installation")]
    member: Option<String>,
}

/// Parses a path. Accepts an empty value, so that an empty environment variable counts as unset.
pub fn path_parser() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// The installation to call: an address with a token file, or the state folder of a development installation. Options
/// override the environment. Ambiguous combinations are refused, so that no command reaches an unintended installation.
#[derive(Clone, Debug, Default)]
pub struct Installation {
    args: InstallationArgs,
    /// Ids of the values that are set by options; all others are from the environment.
    explicit: Vec<&'static str>,
}

impl clap::Args for Installation {
    fn augment_args(command: clap::Command) -> clap::Command {
        InstallationArgs::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        InstallationArgs::augment_args_for_update(command)
    }
}

impl FromArgMatches for Installation {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut installation = Self::default();
        installation.update_from_arg_matches(matches)?;
        Ok(installation)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let is_explicit = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
        let args = InstallationArgs::from_arg_matches(matches)?;
        let is_path = |path: &PathBuf| !path.as_os_str().is_empty();
        self.args = InstallationArgs {
            address: args.address.filter(|address| !address.is_empty()),
            token_file: args.token_file.filter(is_path),
            state: args.state.filter(is_path),
            member: args.member.filter(|member| !member.is_empty()),
        };
        self.explicit = [ADDRESS, TOKEN_FILE, STATE, MEMBER]
            .into_iter()
            .filter(is_explicit)
            .collect();
        Ok(())
    }
}

/// The target of calls.
#[derive(Debug, PartialEq, Eq)]
enum Target<'a> {
    /// An address and a token file.
    Address(&'a str, &'a Path),
    /// The state folder of a development installation.
    State(&'a Path),
}

impl Installation {
    /// A channel to the installation and a member's token.
    pub fn as_member(&self) -> anyhow::Result<(Channel, String)> {
        self.connect(|state| {
            let member = self
                .args
                .member
                .as_deref()
                .context("No member: --as (COSELL_AS) must name the seeded member to call as.")?;
            seed_token(member, state)
        })
    }

    /// A channel to the installation and a service's token.
    pub fn as_service(&self, name: &str) -> anyhow::Result<(Channel, String)> {
        anyhow::ensure!(
            !self.is_explicit(MEMBER),
            "--as is not permitted: this command calls as a service, not as a member."
        );
        self.connect(|state| issuer(state, Clock::system())?.token(&Caller::Service(name.parse()?)))
    }

    fn is_explicit(&self, id: &str) -> bool {
        self.explicit.contains(&id)
    }

    /// The target that options select, or else the environment.
    fn target(&self) -> anyhow::Result<Target<'_>> {
        let InstallationArgs {
            address,
            token_file,
            state,
            ..
        } = &self.args;
        let explicit_address = self.is_explicit(ADDRESS) || self.is_explicit(TOKEN_FILE);
        let explicit_state = self.is_explicit(STATE) || self.is_explicit(MEMBER);
        let by_address = match (explicit_address, explicit_state) {
            (true, true) => bail!(
                "Two installations: --address and --token-file name one, --dev-state and --as another; state one \
                 of the two."
            ),
            (true, false) => true,
            (false, true) => false,
            (false, false) => {
                let has_address = address.is_some() || token_file.is_some();
                if has_address && state.is_some() {
                    bail!(
                        "The environment names two installations: COSELL_ADDRESS and COSELL_TOKEN_FILE one, \
                         COSELL_STATE another; unset one of the two, or select one with options."
                    );
                }
                has_address
            }
        };
        match (by_address, address, token_file, state) {
            (true, Some(address), Some(file), _) => Ok(Target::Address(address, file)),
            (true, None, ..) => {
                bail!("No address for the token: set --address or COSELL_ADDRESS.")
            }
            (true, ..) => bail!("No token for the address: set --token-file or COSELL_TOKEN_FILE."),
            (false, .., Some(state)) => Ok(Target::State(state)),
            (false, ..) if explicit_state => {
                bail!("No state folder of a development installation: set --dev-state or COSELL_STATE.")
            }
            (false, ..) => bail!(
                "No installation: set --address and --token-file, or --dev-state (COSELL_ADDRESS and \
                 COSELL_TOKEN_FILE, or COSELL_STATE)."
            ),
        }
    }

    fn connect(
        &self,
        token_in: impl Fn(&Path) -> anyhow::Result<String>,
    ) -> anyhow::Result<(Channel, String)> {
        let (address, token) = match self.target()? {
            Target::Address(address, file) => {
                let token = std::fs::read_to_string(file).context("reading the token file")?;
                (address.to_owned(), token.trim().to_owned())
            }
            Target::State(state) => (read_stack_info(state)?.address, token_in(state)?),
        };
        let mut endpoint = Endpoint::from_shared(address)?;
        if endpoint.uri().scheme_str() == Some("https") {
            endpoint = endpoint.tls_config(ClientTlsConfig::new().with_native_roots())?;
        }
        Ok((endpoint.connect_lazy(), token))
    }
}

/// Reads the addresses of the development installation that runs with a state folder.
pub fn read_stack_info(state: &Path) -> anyhow::Result<StackInfo> {
    let file = state.join("stack.json");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("no installation runs with {}", state.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// A new token of a seeded member.
pub fn seed_token(id: &str, state: &Path) -> anyhow::Result<String> {
    let member = seed_members().into_iter().find(|member| member.id() == id);
    let member = member.with_context(|| format!("{id} is not a seeded member"))?;
    anyhow::ensure!(
        state.join("issuer.key").exists(),
        "{} is not a state folder",
        state.display()
    );
    issuer(state, Clock::system())?.token(&member.caller()?)
}

/// Shell commands that make later commands call as a seeded member.
pub fn login_script(id: &str, state: &Path) -> anyhow::Result<String> {
    let info = read_stack_info(state)?;
    seed_token(id, state)?;
    let tokens = info.tokens.canonicalize().context("finding the token folder")?;
    let file = tokens.join(id);
    let file = file
        .to_str()
        .context("the path of the token folder is not valid UTF-8")?;
    Ok(export_script(&info.address, file))
}

/// Also unsets the variables of a development installation: the environment may name only one installation.
fn export_script(address: &str, token_file: &str) -> String {
    format!(
        "unset COSELL_STATE COSELL_AS\nexport COSELL_ADDRESS={}\nexport COSELL_TOKEN_FILE={}",
        shell_quoted(address),
        shell_quoted(token_file)
    )
}

/// Quotes a text as one word for a POSIX shell.
fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// An installation with values for these options and environment variables.
    fn installation(explicit: &[&'static str], environment: &[&'static str]) -> Installation {
        let all = [explicit, environment].concat();
        let value = |id: &str| all.contains(&id).then(|| format!("the {id}"));
        Installation {
            args: InstallationArgs {
                address: value(ADDRESS),
                token_file: value(TOKEN_FILE).map(PathBuf::from),
                state: value(STATE).map(PathBuf::from),
                member: value(MEMBER),
            },
            explicit: explicit.to_vec(),
        }
    }

    #[test]
    fn options_override_the_environment() {
        let address = Target::Address(
            "the installation.address",
            Path::new("the installation.token_file"),
        );
        let state = Target::State(Path::new("the installation.state"));
        let everything = [ADDRESS, TOKEN_FILE, STATE, MEMBER];
        for (explicit, environment, target) in [
            (&[ADDRESS, TOKEN_FILE][..], &[STATE, MEMBER][..], &address),
            (&[ADDRESS], &everything[1..], &address),
            (&[TOKEN_FILE], &[ADDRESS, STATE], &address),
            (&[STATE, MEMBER], &[ADDRESS, TOKEN_FILE], &state),
            (&[STATE], &[ADDRESS, TOKEN_FILE, MEMBER], &state),
            (&[MEMBER], &[ADDRESS, TOKEN_FILE, STATE], &state),
            // A member alone does not select an installation.
            (&[], &[ADDRESS, TOKEN_FILE, MEMBER], &address),
            (&[], &[STATE, MEMBER], &state),
        ] {
            let found = installation(explicit, environment);
            assert_eq!(
                &found.target().expect("a target"),
                target,
                "{explicit:?} over {environment:?}"
            );
        }
    }

    #[test]
    fn ambiguous_or_incomplete_installation_is_refused() {
        for (explicit, environment, expected) in [
            (
                &[ADDRESS, STATE][..],
                &[TOKEN_FILE, MEMBER][..],
                "state one of the two",
            ),
            (&[TOKEN_FILE, MEMBER], &[ADDRESS, STATE], "state one of the two"),
            (&[], &[ADDRESS, TOKEN_FILE, STATE], "names two installations"),
            (&[], &[TOKEN_FILE, STATE], "names two installations"),
            // The environment's other target does not complete an incomplete option.
            (&[ADDRESS], &[STATE, MEMBER], "--token-file"),
            (&[TOKEN_FILE], &[STATE, MEMBER], "--address"),
            (&[MEMBER], &[ADDRESS, TOKEN_FILE], "--dev-state"),
            (&[], &[MEMBER], "No installation"),
            (&[], &[], "No installation"),
        ] {
            let refused = installation(explicit, environment)
                .target()
                .expect_err("an error")
                .to_string();
            assert!(
                refused.contains(expected),
                "{explicit:?} over {environment:?}: {refused}"
            );
        }
        let as_member = installation(&[STATE, MEMBER], &[]);
        assert!(as_member.as_service("provisioner").is_err());
    }

    #[test]
    fn options_are_distinguished_from_environment_and_defaults() {
        let parse = |line: &[&str]| {
            let command = <Installation as clap::Args>::augment_args(clap::Command::new("a command"));
            let matches = command.get_matches_from([&["a command"], line].concat());
            Installation::from_arg_matches(&matches).expect("an installation")
        };
        let parsed = parse(&["--address", "http://127.0.0.1:1", "--token-file", "a file"]);
        assert_eq!(parsed.explicit, [ADDRESS, TOKEN_FILE]);
        let target = Target::Address("http://127.0.0.1:1", Path::new("a file"));
        assert_eq!(parsed.target().expect("a target"), target);
        let refused = parse(&["--dev-state", ""]).target().expect_err("an error");
        assert!(refused.to_string().contains("state folder"), "{refused}");
    }

    /// A shell that runs the login script has no variables of the other target left, and the unchanged path.
    #[test]
    fn login_script_sets_the_environment_of_a_shell() {
        let file = "/tmp/it's a $(folder); `true` \"x\" */tokens/alder-ace-user";
        let script = format!(
            "{}\nprintf '%s|%s|%s|%s' \"${{COSELL_STATE-}}\" \"${{COSELL_AS-}}\" \"$COSELL_ADDRESS\" \
             \"$COSELL_TOKEN_FILE\"",
            export_script("http://127.0.0.1:1", file)
        );
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &script])
            .env("COSELL_STATE", "/a/state")
            .env("COSELL_AS", "alder-ace-user");
        let output = shell.output().expect("a shell");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            format!("||http://127.0.0.1:1|{file}")
        );
    }
}
