//! A subcommand for every RPC, derived from the API's descriptors: request fields are options, and comments are the
//! help texts. `table.rs` adds the names of the commands and the columns of tables.

mod args;
mod call;
mod refusal;
mod render;
mod table;
mod values;

use anyhow::Context as _;
use clap::{Arg, ArgMatches, value_parser};
use cosell_proto::cosell::opportunity::v1::OpportunityPreset;
use cosell_proto::cosell::referral::v1::ReferralOfferState;
use prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage as _, Value};

use crate::descriptors::POOL;
use crate::terminal::{print, print_message};

pub use refusal::{explain_status, explain_status_of_lines};
pub use table::COMMANDS;

/// A subcommand: `cosell <noun> <verb>`.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// The first word of the subcommand: a kind of resource.
    pub noun: &'static str,
    /// The second word of the subcommand.
    pub verb: &'static str,
    /// The name of the RPC, without package and service.
    pub rpc: &'static str,
    /// The request field that is a positional argument; empty if there is none.
    pub subject: &'static str,
    /// For lists: the paths of the fields that a table shows.
    pub columns: &'static [&'static str],
}

/// The output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// An aligned table.
    Table,
    /// The canonical JSON form of Protocol Buffers.
    Json,
}

impl Command {
    /// The descriptor of the RPC.
    pub fn method(&self) -> anyhow::Result<MethodDescriptor> {
        let mut methods = POOL
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>());
        let found = methods.find(|method| method.name() == self.rpc);
        found.with_context(|| format!("unknown RPC {}", self.rpc))
    }

    /// The name of the list field of a paged response; `None` for other RPCs.
    fn list_field(method: &MethodDescriptor) -> Option<String> {
        let output = method.output();
        output.get_field_by_name("next_page_token")?;
        let list = output.fields().find(|field| field.is_list())?;
        Some(list.name().to_owned())
    }
}

/// A command for each noun, with its verbs as subcommands.
pub fn noun_commands() -> anyhow::Result<Vec<clap::Command>> {
    let mut nouns: Vec<clap::Command> = Vec::new();
    for command in COMMANDS {
        let verb = verb_command(command)?;
        match nouns.iter_mut().find(|noun| noun.get_name() == command.noun) {
            Some(noun) => *noun = noun.clone().subcommand(verb),
            None => nouns.push(
                clap::Command::new(command.noun)
                    .about(noun_about(command.noun))
                    .subcommand_required(true)
                    .arg_required_else_help(true)
                    .disable_help_subcommand(true)
                    .subcommand(verb),
            ),
        }
    }
    Ok(nouns)
}

fn verb_command(command: &Command) -> anyhow::Result<clap::Command> {
    let method = command.method()?;
    let comment = args::comment(&method.parent_file(), method.path());
    let mut verb = clap::Command::new(command.verb);
    for option in args::options(&method.input(), command.subject) {
        verb = verb.arg(option.arg());
    }
    if Command::list_field(&method).is_some() {
        verb = verb.arg(
            Arg::new("limit")
                .long("limit")
                .help("Maximum number of records; 0 for all")
                .value_parser(value_parser!(usize))
                .default_value("100"),
        );
    }
    let output = Arg::new("output")
        .long("output")
        .help("Output format")
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

fn noun_about(noun: &str) -> &'static str {
    let found = table::NOUNS.iter().find(|(name, _)| *name == noun);
    found.map_or("", |(_, about)| about)
}

/// Runs the command of a noun and its matched verb.
pub async fn run(noun: &str, matches: &ArgMatches) -> anyhow::Result<()> {
    let (name, matches) = matches.subcommand().context("a verb")?;
    let mut all = COMMANDS.iter();
    let command = all
        .find(|command| command.noun == noun && command.verb == name)
        .context("a command")?;
    let method = command.method()?;
    let request = args::request(&method.input(), command.subject, matches)?;
    let (command, method, request) = match pending_offers(&request)? {
        Some(offers) => offers,
        None => (command, method, request),
    };
    let output = *matches.get_one::<Output>("output").context("an output")?;
    let client = call::DynamicClient::connect(matches)?;
    let text = match Command::list_field(&method) {
        Some(list) => {
            let limit = matches.get_one::<usize>("limit").copied().unwrap_or_default();
            let (rows, has_more) = client.list_all(&method, request, &list, limit).await?;
            if has_more {
                print_message(&format!(
                    "Only the first {limit} records are listed. Use --limit to list more, 0 for all."
                ));
            }
            render::render_list(&rows, command.columns, output)?
        }
        None => render::render_record(&client.call(&method, request).await?, output)?,
    };
    if text.is_empty() { Ok(()) } else { print(&text) }
}

/// For the list of the opportunities that wait for acceptance, the list of the pending offers: they are no opportunities
/// yet (OPP-063). `None` for any other request, also for one with further conditions, which offers do not have.
fn pending_offers(
    request: &DynamicMessage,
) -> anyhow::Result<Option<(&'static Command, MethodDescriptor, DynamicMessage)>> {
    let is_list = request.descriptor().name() == "ListOpportunitiesRequest";
    let preset = i32::from(OpportunityPreset::PendingAcceptance);
    let is_preset = |(field, value): (prost_reflect::FieldDescriptor, &Value)| {
        field.name() == "preset" && value.as_enum_number() == Some(preset)
    };
    if !is_list || request.fields().count() != 1 || !request.fields().all(is_preset) {
        return Ok(None);
    }
    let command = COMMANDS
        .iter()
        .find(|command| command.rpc == "ListReferralOffers")
        .context("the command of the offers")?;
    let method = command.method()?;
    let mut request = DynamicMessage::new(method.input());
    let pending = Value::EnumNumber(ReferralOfferState::Pending.into());
    request.set_field_by_name("states", Value::List(vec![pending]));
    Ok(Some((command, method, request)))
}

/// A message in the canonical JSON form of Protocol Buffers, including fields with default values.
pub fn json(name: &str, message: &impl prost::Message) -> anyhow::Result<String> {
    let descriptor = POOL
        .get_message_by_name(name)
        .context("the descriptor of a response")?;
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())?;
    render::render_record(&message, Output::Json)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rpc_has_a_command_and_every_noun_a_description() {
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
        assert_eq!(COMMANDS.len(), commands.len(), "one command per RPC");
        for command in COMMANDS {
            assert!(!noun_about(command.noun).is_empty(), "{}", command.noun);
        }
    }

    #[test]
    fn columns_and_subjects_are_existing_fields() {
        for command in COMMANDS {
            let method = command.method().expect("an RPC");
            let request = method.input();
            let subject = command.subject.is_empty() || request.get_field_by_name(command.subject).is_some();
            assert!(subject, "{command:?}");
            let Some(list) = Command::list_field(&method) else {
                continue;
            };
            assert!(!command.columns.is_empty(), "{command:?}");
            let list = method.output().get_field_by_name(&list).expect("a list");
            for column in command.columns.iter().flat_map(|paths| paths.split('|')) {
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
