//! A subcommand for every RPC, made from the interface itself: its fields are options, its comments their explanations.
//! What stands here is only how they are called and which fields a table shows.

mod args;
mod call;
mod refusal;
mod render;
mod table;
mod values;

use std::sync::LazyLock;

use anyhow::Context as _;
use clap::{Arg, ArgMatches, value_parser};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};

pub use refusal::explained;
pub use table::COMMANDS;

/// A subcommand: `cosell <noun> <verb>`.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// What it is about.
    pub noun: &'static str,
    /// What is done.
    pub verb: &'static str,
    /// The RPC, without its package.
    pub rpc: &'static str,
    /// The field of the request that is stated without an option; none when empty.
    pub subject: &'static str,
    /// For lists: the fields of a record that a table shows.
    pub columns: &'static [&'static str],
}

/// The definitions of the interface.
static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(cosell_proto::DESCRIPTORS).unwrap_or_default());

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

impl Command {
    /// The RPC as the interface defines it.
    pub fn method(&self) -> anyhow::Result<MethodDescriptor> {
        let mut methods = POOL
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>());
        let found = methods.find(|method| method.name() == self.rpc);
        found.with_context(|| format!("no RPC {}", self.rpc))
    }

    /// What its answer lists, if it lists something.
    fn list(method: &MethodDescriptor) -> Option<String> {
        let output = method.output();
        output.get_field_by_name("next_page_token")?;
        let list = output.fields().find(|field| field.is_list())?;
        Some(list.name().to_owned())
    }
}

/// The nouns with their verbs, for the command line.
pub fn nouns() -> anyhow::Result<Vec<clap::Command>> {
    let mut nouns: Vec<clap::Command> = Vec::new();
    for command in COMMANDS {
        let verb = verb(command)?;
        match nouns.iter_mut().find(|noun| noun.get_name() == command.noun) {
            Some(noun) => *noun = noun.clone().subcommand(verb),
            None => nouns.push(
                clap::Command::new(command.noun)
                    .about(about(command.noun))
                    .subcommand_required(true)
                    .arg_required_else_help(true)
                    .disable_help_subcommand(true)
                    .subcommand(verb),
            ),
        }
    }
    Ok(nouns)
}

fn verb(command: &Command) -> anyhow::Result<clap::Command> {
    let method = command.method()?;
    let comment = args::comment(&method.parent_file(), method.path());
    let mut verb = clap::Command::new(command.verb);
    for option in args::options(&method.input(), command.subject) {
        verb = verb.arg(option.arg());
    }
    if Command::list(&method).is_some() {
        verb = verb.arg(
            Arg::new("limit")
                .long("limit")
                .help("Most records that are fetched; 0 for all")
                .value_parser(value_parser!(usize))
                .default_value("100"),
        );
    }
    let output = Arg::new("output")
        .long("output")
        .help("How to print the answer")
        .value_parser(value_parser!(Output))
        .default_value("table");
    let about = comment
        .split("\n\n")
        .next()
        .unwrap_or_default()
        .replace('\n', " ");
    Ok(call::connection_args(verb.arg(output))
        .about(about)
        .long_about(comment))
}

fn about(noun: &str) -> &'static str {
    let found = table::NOUNS.iter().find(|(name, _)| *name == noun);
    found.map_or("", |(_, about)| about)
}

/// Runs a verb of a noun.
pub async fn run(noun: &str, matches: &ArgMatches) -> anyhow::Result<()> {
    let (name, matches) = matches.subcommand().context("a verb")?;
    let mut all = COMMANDS.iter();
    let command = all
        .find(|command| command.noun == noun && command.verb == name)
        .context("a command")?;
    let method = command.method()?;
    let request = args::request(&method.input(), command.subject, matches)?;
    let output = *matches.get_one::<Output>("output").context("an output")?;
    let calls = call::Calls::open(matches)?;
    let text = match Command::list(&method) {
        Some(list) => {
            let limit = matches.get_one::<usize>("limit").copied().unwrap_or_default();
            let rows = calls.pages(&method, request, &list, limit).await?;
            render::list(&rows, command.columns, output)?
        }
        None => render::one(&calls.one(&method, request).await?, output)?,
    };
    print(&text);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn print(text: &str) {
    if !text.is_empty() {
        println!("{text}");
    }
}

/// A message in the JSON form of Protocol Buffers, with every field.
pub fn json(name: &str, message: &impl prost::Message) -> anyhow::Result<String> {
    let form = POOL
        .get_message_by_name(name)
        .context("the definition of an answer")?;
    let message = DynamicMessage::decode(form, message.encode_to_vec().as_slice())?;
    render::one(&message, Output::Json)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rpc_has_a_command_and_every_noun_says_what_it_is() {
        let services = POOL.services();
        let own = services.filter(|service| {
            service.package_name().starts_with("cosell.") && !service.name().ends_with("InternalService")
        });
        let methods = own.flat_map(|service| service.methods().collect::<Vec<_>>());
        let rpcs: BTreeSet<_> = methods
            .filter(|method| !method.is_client_streaming() && !method.is_server_streaming())
            .map(|method| method.name().to_owned())
            .collect();
        let commands: BTreeSet<_> = COMMANDS.iter().map(|command| command.rpc.to_owned()).collect();
        assert_eq!(commands, rpcs);
        assert_eq!(COMMANDS.len(), commands.len(), "one command each");
        for command in COMMANDS {
            assert!(!about(command.noun).is_empty(), "{}", command.noun);
        }
    }

    #[test]
    fn columns_and_subjects_are_fields() {
        for command in COMMANDS {
            let method = command.method().expect("an RPC");
            let request = method.input();
            let subject = command.subject.is_empty() || request.get_field_by_name(command.subject).is_some();
            assert!(subject, "{command:?}");
            let Some(list) = Command::list(&method) else {
                continue;
            };
            assert!(!command.columns.is_empty(), "{command:?}");
            let list = method.output().get_field_by_name(&list).expect("a list");
            for column in command.columns {
                let mut kind = list.kind();
                for name in column.split('.') {
                    let message = kind.as_message().expect("a message").clone();
                    kind = message
                        .get_field_by_name(name)
                        .unwrap_or_else(|| panic!("{column}"))
                        .kind();
                }
            }
        }
    }
}
