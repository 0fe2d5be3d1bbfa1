//! The command line, as somebody at a terminal uses it.

use std::process::{Command, Output};

use cosell_tests::{Child, World};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");

/// A terminal of somebody.
struct Terminal<'a> {
    world: &'a World,
    member: &'static str,
}

impl Terminal<'_> {
    async fn run(&self, line: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command
            .args(line)
            .env_remove("COSELL_ADDRESS")
            .env_remove("COSELL_TOKEN_FILE")
            .env("COSELL_STATE", self.world.state())
            .env("COSELL_AS", self.member);
        ended(command).await
    }

    /// What a command prints that works.
    async fn prints(&self, line: &[&str]) -> String {
        let output = self.run(line).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    async fn json(&self, line: &[&str]) -> Value {
        let text = self.prints(&[line, &["--output", "json"]].concat()).await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// What a command says that is refused.
    async fn complains(&self, line: &[&str]) -> String {
        let output = self.run(line).await;
        assert!(!output.status.success(), "{line:?} must be refused");
        assert!(output.stdout.is_empty(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

async fn ended(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("an end")
        .expect("a program")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_partners_connect_at_their_terminals() {
    let world = World::start();
    let running = world.run().await;
    let terminal = |member| Terminal {
        world: &world,
        member,
    };
    let (alder, birch) = (terminal("alder-alliance-lead"), terminal("birch-alliance-lead"));

    let table = alder.prints(&["members", "list", "--role", "ace-user"]).await;
    let mut lines = table.lines();
    assert_eq!(
        lines.next().map(|head| head.starts_with("MEMBER_ID")),
        Some(true),
        "{table}"
    );
    assert_eq!(lines.count(), 2, "{table}");

    let found = alder.json(&["partners", "list", "--name", "birch"]).await;
    let profile = found[0]["profile"]["profileId"]
        .as_str()
        .expect("a profile")
        .to_owned();
    let refused = alder
        .complains(&[
            "invitations",
            "send",
            &profile,
            "--type",
            "opportunity-collaboration",
            "--message",
            "Hello",
            "--inviter-name",
            "Amara",
            "--inviter-email",
            "nobody",
        ])
        .await;
    assert!(
        refused.contains("INVALID_FIELDS") && refused.contains("inviter_email"),
        "{refused}"
    );
    let sent = alder
        .json(&[
            "invitations",
            "send",
            &profile,
            "--type",
            "opportunity-collaboration",
            "--message",
            "Hello",
            "--inviter-name",
            "Amara",
            "--inviter-email",
            "amara@alder.example",
        ])
        .await;
    let id = sent["connectionInvitationId"].as_str().expect("an id").to_owned();
    let shown = birch.prints(&["invitations", "show", &id]).await;
    assert!(
        shown.contains("inviter_email") && shown.contains("amara@alder.example"),
        "{shown}"
    );
    birch.prints(&["invitations", "accept", &id, "--dry-run"]).await;
    birch.prints(&["invitations", "accept", &id]).await;
    let listed = alder
        .prints(&["connections", "list", "--other-account-id", cosell::BIRCH])
        .await;
    assert!(
        listed.contains("Birch Data") && listed.contains("ACTIVE"),
        "{listed}"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_is_what_further_commands_go_by() {
    let world = World::start();
    let running = world.run().await;
    let state = world.state().to_string_lossy().into_owned();
    let terminal = Terminal {
        world: &world,
        member: "alder-ace-user",
    };
    let exports = terminal
        .prints(&["login", "--dev", "birch-ace-manager", "--dev-state", &state])
        .await;
    let mut shell = Command::new("sh");
    // The shell had another installation, and another member: the login counts.
    shell
        .args(["-c", &format!("{exports}\n{PROGRAM} account show")])
        .env("COSELL_STATE", world.folder().join("nowhere"))
        .env("COSELL_AS", "alder-ace-user");
    let output = ended(shell).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("Birch Data Ltd"), "{output:?}");
    let unknown = terminal
        .complains(&["login", "--dev", "nobody", "--dev-state", &state])
        .await;
    assert!(unknown.contains("none of the seeded members"), "{unknown}");
    running.stop().await;
}

/// The filter has the name of what once was an option of the installation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_is_listed_by_its_states() {
    let world = World::start();
    let running = world.run().await;
    let reviewer = Terminal {
        world: &world,
        member: "aws-reviewer",
    };
    let queue = reviewer
        .prints(&["reviews", "list", "--state", "submitted"])
        .await;
    assert!(queue.starts_with("REVIEW_CASE_ID"), "{queue}");
    running.stop().await;
}

/// The shell has a development installation; what is stated goes elsewhere, and nowhere else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stated_options_go_before_the_environment() {
    let world = World::start();
    let running = world.run().await;
    let terminal = Terminal {
        world: &world,
        member: "alder-ace-user",
    };
    let text = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    let birch = text(running.info.tokens.join("birch-ace-manager"));
    let stated = ["--address", &running.info.address, "--token-file", &birch];
    let shown = terminal
        .prints(&[&["account", "show"], &stated[..]].concat())
        .await;
    assert!(shown.contains("Birch Data Ltd"), "{shown}");

    // Nothing listens there.
    let elsewhere = format!("http://{}", Child::address());
    let stated = ["--address", &elsewhere, "--token-file", &birch];
    terminal
        .complains(&[&["account", "show"], &stated[..]].concat())
        .await;
    let list = text(world.folder().join("empty.jsonl"));
    std::fs::write(&list, "").expect("an empty list");
    terminal
        .complains(&[&["directory", "apply", "-f", &list], &stated[..]].concat())
        .await;

    let state = text(world.state());
    let both = [&["account", "show"], &stated[..], &["--dev-state", &state]].concat();
    let refused = terminal.complains(&both).await;
    assert!(refused.contains("state one of the two"), "{refused}");
    let shown = terminal
        .prints(&["account", "show", "--as", "birch-ace-manager"])
        .await;
    assert!(shown.contains("Birch Data Ltd"), "{shown}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_zero_or_false_is_printed_too() {
    let world = World::start();
    let running = world.run().await;
    let lead = Terminal {
        world: &world,
        member: "alder-alliance-lead",
    };
    let found = lead.json(&["partners", "list", "--name", "birch"]).await;
    assert_eq!(found[0]["connected"], false, "{found}");
    let profile = found[0]["profile"]["profileId"].as_str().expect("a profile");
    let shown = lead.prints(&["partners", "show", profile]).await;
    assert!(
        shown
            .lines()
            .any(|line| line.split_whitespace().eq(["connected", "no"])),
        "{shown}"
    );

    let reviewer = Terminal {
        world: &world,
        member: "aws-reviewer",
    };
    let unread = reviewer.prints(&["notifications", "unread"]).await;
    assert!(unread.split_whitespace().eq(["unread_count", "0"]), "{unread}");
    let unread = reviewer.json(&["notifications", "unread"]).await;
    assert_eq!(unread, json!({"unreadCount": "0"}));
    // A record that is not there at all is left away.
    let company = reviewer.json(&["account", "show"]).await;
    assert_eq!(company["partnerTypes"], json!([]), "{company}");
    assert_eq!(company.get("profile"), None, "{company}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_fields_come_with_what_would_be_right() {
    let world = World::start();
    let running = world.run().await;
    let lead = Terminal {
        world: &world,
        member: "alder-alliance-lead",
    };
    let update = |more: &[&'static str]| {
        let given = [
            "profile",
            "update",
            "--display-name",
            "Alder",
            "--primary-solution-type",
            "consulting-services",
            "--industry-segment",
        ];
        [&given, more].concat()
    };
    let lines_of = |refused: &str| -> Vec<String> {
        let lines = refused.lines().map(|line| line.trim().to_owned());
        lines.collect()
    };
    let refused = lead.complains(&update(&["Aerospac"])).await;
    let lines = lines_of(&refused);
    for line in [
        "error: 1 field is invalid (INVALID_FIELDS)",
        "profile.industry_segments[0]",
        "given:   \"Aerospac\"",
    ] {
        assert!(lines.iter().any(|found| found == line), "{line}: {refused}");
    }
    assert!(
        refused.contains("allowed: Aerospace; Agriculture; ") && refused.contains("; Other\n"),
        "{refused}"
    );
    assert!(
        refused.lines().all(|line| line.chars().count() <= 100),
        "{refused}"
    );

    let refused = lead
        .complains(&update(&[
            "Aerospace",
            "--logo-url",
            "ftp://alder.example/logo.png",
        ]))
        .await;
    let lines = lines_of(&refused);
    for line in [
        "profile.logo_url",
        "given:   \"ftp://alder.example/logo.png\"",
        "pattern: ^https://[!-~]+$",
    ] {
        assert!(lines.iter().any(|found| found == line), "{line}: {refused}");
    }
    running.stop().await;
}
