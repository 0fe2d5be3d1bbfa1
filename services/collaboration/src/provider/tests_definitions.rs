//! Compares the provider with Slack's published definitions, which the fake server enforces and docs/SLACK.md lists:
//! methods, arguments, scopes and error codes (CHN-020).

use std::collections::{BTreeMap, BTreeSet};

use cosell_testkit::slack::{self as fake_slack, METHODS, MethodDefinition, SCOPES, TOKEN};
use cosell_types::Pii;

use super::api::{RATE_LIMIT_ERRORS, TRANSIENT_ERRORS};
use super::tests_slack::{JANE, Scenario, WELCOME_TEXT, jane, refused};
use super::{InviteOutcome, MEMBER_REFUSALS, ProviderError, REMOVAL_REFUSALS};

const DOCUMENT: &str = include_str!("../../../../docs/SLACK.md");
/// The files that call methods or handle their errors.
const SOURCE: &str = include_str!("slack.rs");

/// The string literals of the provider.
fn literals() -> impl Iterator<Item = &'static str> {
    let code = SOURCE.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split('"').skip(1).step_by(2))
}

/// The methods in the provider's code: a family and a name in camel case.
fn called_methods() -> BTreeSet<&'static str> {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|letter| letter.is_ascii_alphabetic());
    literals()
        .filter(|literal| {
            let parts = literal.split_once('.');
            parts.is_some_and(|(family, name)| is_word(family) && is_word(name))
        })
        .collect()
}

/// The texts in backticks of a cell.
fn code_of(cell: &'static str) -> BTreeSet<&'static str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// By method, the cells of its row in the document.
fn documented_methods() -> BTreeMap<&'static str, Vec<&'static str>> {
    let rows = DOCUMENT
        .lines()
        .filter(|line| line.starts_with("| [`") && line.contains("/methods/"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let method = *code_of(cells[0]).first().expect("a method");
        (method, cells)
    })
    .collect()
}

#[test]
fn chn_020_slack_methods_of_code_fake_server_and_document_agree() {
    let called = called_methods();
    assert!(called.len() > 10, "{called:?}");
    let defined: BTreeSet<_> = METHODS.iter().map(|definition| definition.name).collect();
    assert_eq!(called, defined, "the code and the fake server");
    let documented = documented_methods();
    assert_eq!(
        called,
        documented.keys().copied().collect(),
        "the code and docs/SLACK.md"
    );
    let mut scopes = BTreeSet::new();
    for (name, cells) in documented {
        let [method, arguments, encoding, scope, _rate] = cells.try_into().expect("five cells");
        let definition = MethodDefinition::of(name).expect("a definition");
        let link = format!("(https://docs.slack.dev/reference/methods/{name})");
        assert!(method.ends_with(&link), "{method}");
        let arguments = code_of(arguments);
        for argument in &arguments {
            assert!(
                definition.required.contains(argument) || definition.optional.contains(argument),
                "{name} has no argument {argument}"
            );
        }
        for required in definition.required {
            assert!(arguments.contains(required), "{name} requires {required}");
        }
        assert!(
            encoding == "form" || definition.accepts_json,
            "{name} accepts no JSON"
        );
        assert_eq!(
            code_of(scope).first().copied().unwrap_or_default(),
            definition.scope,
            "{name}"
        );
        scopes.extend(code_of(scope));
    }
    assert_eq!(scopes, SCOPES.into_iter().collect());
    let listed = SOURCE
        .lines()
        .filter(|line| line.starts_with("//!"))
        .flat_map(code_of);
    let listed: BTreeSet<_> = listed.filter(|code| code.contains(':')).collect();
    assert_eq!(listed, scopes, "the scopes in the comment of slack.rs");
}

#[tokio::test]
async fn chn_020_slack_arguments_sent_are_the_documented_ones() {
    let scenario = Scenario::start().await;
    scenario.slack.page_size(1);
    use_every_method(&scenario).await.expect("no refusal");
    for (name, cells) in documented_methods() {
        let sent: BTreeSet<_> = scenario
            .slack
            .calls(name)
            .into_iter()
            .flat_map(|call| call.arguments.into_iter().map(|(argument, _)| argument))
            .collect();
        let documented = code_of(cells[1]).into_iter().map(str::to_owned).collect();
        assert_eq!(sent, documented, "{name}");
    }
}

/// Calls each method at least once.
async fn use_every_method(scenario: &Scenario) -> Result<(), ProviderError> {
    let Scenario { slack, provider, .. } = scenario;
    for name in ["other-1", "other-2"] {
        slack.add_channel(name);
    }
    let channel = scenario_channel(scenario).await?;
    let colleague = Pii::from("vera@amazon.example");
    let vera = slack.add_colleague("vera@amazon.example");
    provider.invite(&channel, &colleague, false).await?;
    for guest in ["john@partner.example", JANE] {
        provider.invite(&channel, &Pii::from(guest), false).await?;
    }
    let invited = provider.invite(&channel, &jane(), true).await?;
    assert!(matches!(invited, InviteOutcome::Invited(Some(_))));
    provider.post_welcome_message(&channel, WELCOME_TEXT).await?;
    provider.email_of(&vera).await?;
    provider.remove(&channel, &vera).await?;
    provider.archive(&channel).await
}

/// A created channel that a repetition has found by its name.
async fn scenario_channel(scenario: &Scenario) -> Result<String, ProviderError> {
    let create = async || scenario.provider.create("cosell-o123", "Purpose").await;
    create().await?;
    let found = create().await?;
    Ok(found.expect("a channel of Slack").external_id)
}

#[tokio::test]
async fn chn_020_slack_token_without_a_scope_is_refused_for_operator() {
    for lacking in SCOPES {
        let scenario = Scenario::start().await;
        let others: Vec<_> = SCOPES.into_iter().filter(|scope| *scope != lacking).collect();
        scenario.slack.grant_scopes(&others);
        let error = use_every_method(&scenario).await;
        // Without this scope `users.lookupByEmail` is refused, before `users.info` would omit the address.
        let error = error.expect_err(lacking);
        assert_eq!(error, refused("missing_scope"), "{lacking}");
        assert!(
            !error.is_member_refusal() && !error.is_removal_refusal(),
            "{lacking}"
        );
    }
}

#[tokio::test]
async fn chn_020_fake_slack_answers_invalid_calls_as_documented() {
    let slack = fake_slack::Slack::start().await.expect("a Slack");
    let bearer = format!("Bearer {TOKEN}");
    let url = slack.url();
    let address = url.trim_start_matches("http://").trim_end_matches("/api/");
    let address = address.parse().expect("an address");
    let post = async |method: &str, content_type: &str, body: &str| -> serde_json::Value {
        let path = format!("/api/{method}");
        let headers = [("authorization", bearer.as_str()), ("content-type", content_type)];
        let response = fake_slack::post((address, &path), &headers, body).await;
        serde_json::from_str(&response.expect("a response").1).expect("JSON")
    };
    const FORM: &str = "application/x-www-form-urlencoded";
    for (body, message) in [
        ("", "[ERROR] missing required field: channel"),
        ("channel=C1&chanel=C2", "[ERROR] no such argument: chanel"),
    ] {
        let refusal = post("conversations.archive", FORM, body).await;
        assert_eq!(
            (&refusal["ok"], &refusal["error"]),
            (&false.into(), &"invalid_arguments".into())
        );
        assert_eq!(refusal["response_metadata"]["messages"][0], message);
    }
    let not_json = post("pins.list", "application/json", "{\"channel\":\"C1\"}").await;
    assert_eq!(not_json["error"], "invalid_post_type");
    let unknown = post("conversations.destroy", FORM, "").await;
    assert_eq!(unknown["error"], "unknown_method");
    slack.grant_scopes(&["pins:read", "users:read"]);
    let refusal = post("conversations.archive", FORM, "channel=C1").await;
    assert_eq!(
        (&refusal["error"], &refusal["needed"], &refusal["provided"]),
        (
            &"missing_scope".into(),
            &"groups:write".into(),
            &"pins:read,users:read".into()
        )
    );
}

/// A code that no used method can return would be handled in vain, and a misspelt one would not be handled.
#[test]
fn chn_020_slack_error_codes_in_code_are_published_and_documented() {
    let is_code = |text: &&str| {
        let is_letter = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        text.contains('_') && text.chars().all(is_letter)
    };
    let published = |code: &str| METHODS.iter().any(|definition| definition.has_error(code));
    // The errors among the string literals: the others are arguments and fields of messages.
    let in_code = literals().filter(is_code).filter(|code| {
        SOURCE.contains(&format!("is_refusal(\"{code}\")")) || SOURCE.contains(&format!(", \"{code}\")"))
    });
    let handled: BTreeSet<_> = in_code
        .filter(|code| published(code) || SOURCE.contains(&format!("is_refusal(\"{code}\")")))
        .chain(MEMBER_REFUSALS)
        .chain(REMOVAL_REFUSALS)
        .chain(RATE_LIMIT_ERRORS)
        .chain(TRANSIENT_ERRORS)
        .collect();
    assert!(handled.len() > 20, "{handled:?}");
    for code in handled {
        assert!(published(code), "no method used has the error {code}");
        assert!(
            DOCUMENT.contains(&format!("`{code}`")),
            "docs/SLACK.md lacks {code}"
        );
    }
}
