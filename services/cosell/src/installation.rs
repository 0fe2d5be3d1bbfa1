//! Which installation is called, and as whom.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};
use cosell_types::{Caller, Clock};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

use crate::seed::members;
use crate::stack::{StackInfo, issuer};

/// Ids of the options: with a dot, so that no field of a request can have the same.
const ADDRESS: &str = "installation.address";
const TOKEN_FILE: &str = "installation.token_file";
const STATE: &str = "installation.state";
const MEMBER: &str = "installation.member";

/// What was given, in options or in the environment.
#[derive(Clone, Debug, Default, clap::Args)]
struct Given {
    /// Address for calls, such as `https://cosell.example`.
    #[arg(id = ADDRESS, long = "address", value_name = "URL", env = "COSELL_ADDRESS", help_heading = "Installation")]
    address: Option<String>,
    /// File with the token to call with.
    #[arg(id = TOKEN_FILE, long = "token-file", value_name = "FILE", value_parser = path(), env = "COSELL_TOKEN_FILE", help_heading = "Installation")]
    token_file: Option<PathBuf>,
    /// Instead of both, the state folder of a development installation.
    #[arg(id = STATE, long = "dev-state", value_name = "FOLDER", value_parser = path(), env = "COSELL_STATE", help_heading = "Installation")]
    state: Option<PathBuf>,
    /// With a state folder, the seeded member to call as, such as `alder-ace-user`.
    #[arg(id = MEMBER, long = "as", value_name = "MEMBER", env = "COSELL_AS", help_heading = "Installation")]
    member: Option<String>,
}

/// Also takes the empty path: a variable that is set to nothing is one that is not set.
pub fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Where to call and with which token: an address and a file with the token, or a development installation by its state
/// folder. Options go before the environment; what would be ambiguous is refused, so that nothing meant for one
/// installation is done to another.
#[derive(Clone, Debug, Default)]
pub struct Installation {
    given: Given,
    /// Ids of what was stated as an option; everything else is from the environment.
    stated: Vec<&'static str>,
}

impl clap::Args for Installation {
    fn augment_args(command: clap::Command) -> clap::Command {
        Given::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Given::augment_args_for_update(command)
    }
}

impl FromArgMatches for Installation {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut installation = Self::default();
        installation.update_from_arg_matches(matches)?;
        Ok(installation)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let is_stated = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
        let given = Given::from_arg_matches(matches)?;
        let is_path = |path: &PathBuf| !path.as_os_str().is_empty();
        self.given = Given {
            address: given.address.filter(|address| !address.is_empty()),
            token_file: given.token_file.filter(is_path),
            state: given.state.filter(is_path),
            member: given.member.filter(|member| !member.is_empty()),
        };
        self.stated = [ADDRESS, TOKEN_FILE, STATE, MEMBER]
            .into_iter()
            .filter(is_stated)
            .collect();
        Ok(())
    }
}

/// One of the two ways to say which installation is called.
#[derive(Debug, PartialEq, Eq)]
enum Way<'a> {
    /// Its address, and a file with the token.
    Address(&'a str, &'a Path),
    /// Its state folder.
    State(&'a Path),
}

impl Installation {
    /// A channel to it, and a member's token.
    pub fn as_member(&self) -> anyhow::Result<(Channel, String)> {
        self.open(|state| {
            let member = self
                .given
                .member
                .as_deref()
                .context("--as (COSELL_AS) says which seeded member to call as")?;
            token_of(member, state)
        })
    }

    /// A channel to it, and a service's token.
    pub fn as_service(&self, name: &str) -> anyhow::Result<(Channel, String)> {
        anyhow::ensure!(
            !self.is_stated(MEMBER),
            "--as does not go with this command: a service calls, no member"
        );
        self.open(|state| issuer(state, Clock::system())?.token(&Caller::Service(name.parse()?)))
    }

    fn is_stated(&self, id: &str) -> bool {
        self.stated.contains(&id)
    }

    /// Which way counts: the one that an option states, whatever the environment has.
    fn way(&self) -> anyhow::Result<Way<'_>> {
        let Given {
            address,
            token_file,
            state,
            ..
        } = &self.given;
        let stated_address = self.is_stated(ADDRESS) || self.is_stated(TOKEN_FILE);
        let stated_state = self.is_stated(STATE) || self.is_stated(MEMBER);
        let by_address = match (stated_address, stated_state) {
            (true, true) => bail!(
                "--address and --token-file name one installation, --dev-state and --as another: state one of the two"
            ),
            (true, false) => true,
            (false, true) => false,
            (false, false) => {
                let has_address = address.is_some() || token_file.is_some();
                if has_address && state.is_some() {
                    bail!(
                        "the environment names two installations: COSELL_ADDRESS and COSELL_TOKEN_FILE one, \
                         COSELL_STATE another; unset one of the two, or say with options which is meant"
                    );
                }
                has_address
            }
        };
        match (by_address, address, token_file, state) {
            (true, Some(address), Some(file), _) => Ok(Way::Address(address, file)),
            (true, None, ..) => {
                bail!("a token needs an address to call: --address or COSELL_ADDRESS")
            }
            (true, ..) => bail!("an address needs a file with the token: --token-file or COSELL_TOKEN_FILE"),
            (false, .., Some(state)) => Ok(Way::State(state)),
            (false, ..) if stated_state => {
                bail!("a development installation is named by its state folder: --dev-state or COSELL_STATE")
            }
            (false, ..) => bail!(
                "say which installation: --address and --token-file, or --dev-state (COSELL_ADDRESS and \
                 COSELL_TOKEN_FILE, or COSELL_STATE)"
            ),
        }
    }

    fn open(&self, token_in: impl Fn(&Path) -> anyhow::Result<String>) -> anyhow::Result<(Channel, String)> {
        let (address, token) = match self.way()? {
            Way::Address(address, file) => {
                let token = std::fs::read_to_string(file).context("reading the token")?;
                (address.to_owned(), token.trim().to_owned())
            }
            Way::State(state) => (running(state)?.address, token_in(state)?),
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
    let tokens = info.tokens.canonicalize().context("the folder of tokens")?;
    let file = tokens.join(id);
    let file = file.to_str().context("a folder whose name is a text")?;
    Ok(exports(&info.address, file))
}

/// Takes the other way back too: the environment may name only one installation.
fn exports(address: &str, token_file: &str) -> String {
    format!(
        "unset COSELL_STATE COSELL_AS\nexport COSELL_ADDRESS={}\nexport COSELL_TOKEN_FILE={}",
        quoted(address),
        quoted(token_file)
    )
}

/// One word for a shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// An installation as some options and some variables of the environment say.
    fn given(stated: &[&'static str], environment: &[&'static str]) -> Installation {
        let all = [stated, environment].concat();
        let value = |id: &str| all.contains(&id).then(|| format!("the {id}"));
        Installation {
            given: Given {
                address: value(ADDRESS),
                token_file: value(TOKEN_FILE).map(PathBuf::from),
                state: value(STATE).map(PathBuf::from),
                member: value(MEMBER),
            },
            stated: stated.to_vec(),
        }
    }

    #[test]
    fn options_go_before_the_environment() {
        let address = Way::Address(
            "the installation.address",
            Path::new("the installation.token_file"),
        );
        let state = Way::State(Path::new("the installation.state"));
        let everything = [ADDRESS, TOKEN_FILE, STATE, MEMBER];
        for (stated, environment, way) in [
            (&[ADDRESS, TOKEN_FILE][..], &[STATE, MEMBER][..], &address),
            (&[ADDRESS], &everything[1..], &address),
            (&[TOKEN_FILE], &[ADDRESS, STATE], &address),
            (&[STATE, MEMBER], &[ADDRESS, TOKEN_FILE], &state),
            (&[STATE], &[ADDRESS, TOKEN_FILE, MEMBER], &state),
            (&[MEMBER], &[ADDRESS, TOKEN_FILE, STATE], &state),
            // A member alone names no installation.
            (&[], &[ADDRESS, TOKEN_FILE, MEMBER], &address),
            (&[], &[STATE, MEMBER], &state),
        ] {
            let found = given(stated, environment);
            assert_eq!(
                &found.way().expect("a way"),
                way,
                "{stated:?} over {environment:?}"
            );
        }
    }

    #[test]
    fn what_names_two_installations_or_half_of_one_is_refused() {
        for (stated, environment, what) in [
            (
                &[ADDRESS, STATE][..],
                &[TOKEN_FILE, MEMBER][..],
                "state one of the two",
            ),
            (&[TOKEN_FILE, MEMBER], &[ADDRESS, STATE], "state one of the two"),
            (&[], &[ADDRESS, TOKEN_FILE, STATE], "two installations"),
            (&[], &[TOKEN_FILE, STATE], "two installations"),
            // An option does not make up for what it lacks with the other way of the environment.
            (&[ADDRESS], &[STATE, MEMBER], "--token-file"),
            (&[TOKEN_FILE], &[STATE, MEMBER], "--address"),
            (&[MEMBER], &[ADDRESS, TOKEN_FILE], "--dev-state"),
            (&[], &[MEMBER], "say which installation"),
            (&[], &[], "say which installation"),
        ] {
            let refused = given(stated, environment)
                .way()
                .expect_err("a refusal")
                .to_string();
            assert!(
                refused.contains(what),
                "{stated:?} over {environment:?}: {refused}"
            );
        }
        let as_somebody = given(&[STATE, MEMBER], &[]);
        assert!(as_somebody.as_service("provisioner").is_err());
    }

    #[test]
    fn what_is_stated_is_told_from_what_is_not() {
        let read = |line: &[&str]| {
            let command = <Installation as clap::Args>::augment_args(clap::Command::new("a command"));
            let matches = command.get_matches_from([&["a command"], line].concat());
            Installation::from_arg_matches(&matches).expect("an installation")
        };
        let stated = read(&["--address", "http://127.0.0.1:1", "--token-file", "a file"]);
        assert_eq!(stated.stated, [ADDRESS, TOKEN_FILE]);
        let way = Way::Address("http://127.0.0.1:1", Path::new("a file"));
        assert_eq!(stated.way().expect("a way"), way);
        let refused = read(&["--dev-state", ""]).way().expect_err("an empty name");
        assert!(refused.to_string().contains("state folder"), "{refused}");
    }

    /// A shell that runs what a login printed has nothing of the other way left, and the path as it is.
    #[test]
    fn a_shell_takes_over_what_a_login_prints() {
        let file = "/tmp/it's a $(folder); `true` \"x\" */tokens/alder-ace-user";
        let script = format!(
            "{}\nprintf '%s|%s|%s|%s' \"${{COSELL_STATE-}}\" \"${{COSELL_AS-}}\" \"$COSELL_ADDRESS\" \
             \"$COSELL_TOKEN_FILE\"",
            exports("http://127.0.0.1:1", file)
        );
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &script])
            .env("COSELL_STATE", "/a/state")
            .env("COSELL_AS", "somebody");
        let output = shell.output().expect("a shell");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            format!("||http://127.0.0.1:1|{file}")
        );
    }
}
