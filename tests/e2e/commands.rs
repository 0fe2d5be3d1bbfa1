//! The command-line client, run as a child process.

use std::process::{Command, Output, Stdio};

use cosell_tests::scenario::{SUBMITTED_CANARY, Scenario};
use cosell_tests::{ServiceProcess, TestServers};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");

/// A shell environment that calls as one member.
struct Terminal<'a> {
    servers: &'a TestServers,
    member: &'static str,
}

impl Terminal<'_> {
    async fn run(&self, line: &[&str]) -> Output {
        run_to_exit(self.command(line, Stdio::piped())).await
    }

    fn command(&self, line: &[&str], output: Stdio) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(line)
            .env_remove("COSELL_ADDRESS")
            .env_remove("COSELL_TOKEN_FILE")
            .env("COSELL_STATE", self.servers.state())
            .env("COSELL_AS", self.member)
            .stdout(output)
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command that must succeed and returns its output.
    async fn run_ok(&self, line: &[&str]) -> String {
        let output = self.run(line).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    async fn run_json(&self, line: &[&str]) -> Value {
        let text = self.run_ok(&[line, &["--output", "json"]].concat()).await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Runs a command that must fail and returns its error output.
    async fn run_err(&self, line: &[&str]) -> String {
        let output = self.run(line).await;
        assert!(!output.status.success(), "{line:?} must fail");
        assert!(output.stdout.is_empty(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

async fn run_to_exit(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("no panic")
        .expect("a program")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_connect_two_partners() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let terminal = |member| Terminal {
        servers: &servers,
        member,
    };
    let (alder, birch) = (terminal("alder-alliance-lead"), terminal("birch-alliance-lead"));

    let table = alder.run_ok(&["members", "list", "--role", "ace-user"]).await;
    let mut lines = table.lines();
    assert_eq!(
        lines.next().map(|head| head.starts_with("MEMBER_ID")),
        Some(true),
        "{table}"
    );
    assert_eq!(lines.count(), 2, "{table}");

    let found = alder.run_json(&["partners", "list", "--name", "birch"]).await;
    let profile = found[0]["profile"]["profileId"]
        .as_str()
        .expect("a profile")
        .to_owned();
    let refused = alder
        .run_err(&[
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
        .run_json(&[
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
    let shown = birch.run_ok(&["invitations", "show", &id]).await;
    assert!(
        shown.contains("inviter_email") && shown.contains("amara@alder.example"),
        "{shown}"
    );
    birch.run_ok(&["invitations", "accept", &id, "--dry-run"]).await;
    birch.run_ok(&["invitations", "accept", &id]).await;
    let listed = alder
        .run_ok(&["connections", "list", "--other-account-id", cosell::BIRCH])
        .await;
    assert!(
        listed.contains("Birch Data") && listed.contains("ACTIVE"),
        "{listed}"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_sets_installation_and_member_of_later_commands() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let state = servers.state().to_string_lossy().into_owned();
    let terminal = Terminal {
        servers: &servers,
        member: "alder-ace-user",
    };
    let exports = terminal
        .run_ok(&["login", "--dev", "birch-ace-manager", "--dev-state", &state])
        .await;
    let mut shell = Command::new("sh");
    // The login overrides the installation and member that the shell had before.
    shell
        .args(["-c", &format!("{exports}\n{PROGRAM} account show")])
        .env("COSELL_STATE", servers.folder().join("nowhere"))
        .env("COSELL_AS", "alder-ace-user");
    let output = run_to_exit(shell).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("Birch Data Ltd"), "{output:?}");
    let unknown = terminal
        .run_err(&["login", "--dev", "nobody", "--dev-state", &state])
        .await;
    assert!(unknown.contains("is not a seeded member"), "{unknown}");
    running.stop().await;
}

/// `--state` is a filter of reviews; an installation's state folder once had the same option.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reviews_list_filters_by_state() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let reviewer = Terminal {
        servers: &servers,
        member: "aws-reviewer",
    };
    let queue = reviewer
        .run_ok(&["reviews", "list", "--state", "submitted"])
        .await;
    assert!(queue.starts_with("REVIEW_CASE_ID"), "{queue}");
    running.stop().await;
}

/// Members see in the terminal what waits for them: reviewers the companies and titles of their queue, partners what AWS
/// offers, which is no opportunity yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opp_063_rev_020_queue_and_pending_offers_are_listed_with_company_and_title() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let scenario = Scenario::new(&servers, running.channel(), &running.info);
    scenario.provision_partners().await;
    let records = scenario.create_records().await;
    let reviewer = Terminal {
        servers: &servers,
        member: "aws-reviewer",
    };
    let queue = reviewer.run_ok(&["reviews", "list"]).await;
    let header = queue.lines().next().unwrap_or_default();
    assert!(header.contains("COMPANY") && header.contains("TITLE"), "{queue}");
    let title = format!("{SUBMITTED_CANARY} title");
    assert!(queue.lines().any(|line| line.contains(&title)), "{queue}");
    let partner = Terminal {
        servers: &servers,
        member: "alder-alliance-lead",
    };
    let offers = partner
        .run_ok(&["opportunities", "list", "--preset", "pending-acceptance"])
        .await;
    assert!(offers.contains(&records.offer), "{offers}");
    running.stop().await;
}

/// Other programs read a part of the output, or cannot store it; and a list that is cut says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn command_ends_quietly_on_closed_pipe_fails_on_full_disk_and_says_when_list_is_cut() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let partner = Terminal {
        servers: &servers,
        member: "alder-alliance-lead",
    };
    let list = ["members", "list", "--limit", "1"];
    let cut = partner.run(&list).await;
    assert!(cut.status.success(), "{cut:?}");
    let remark = String::from_utf8_lossy(&cut.stderr);
    assert!(
        remark.contains("Only the first 1 records are listed."),
        "{remark}"
    );
    let whole = partner.run(&["members", "list", "--limit", "0"]).await;
    assert_eq!(whole.stderr, b"");

    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let closed = run_to_exit(partner.command(&list[..2], writer.into())).await;
    assert!(closed.status.success() && closed.stderr.is_empty(), "{closed:?}");
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("a full disk");
    let full = run_to_exit(partner.command(&list[..2], full.into())).await;
    let error = String::from_utf8_lossy(&full.stderr);
    assert!(!full.status.success(), "{full:?}");
    assert!(error.starts_with("error: writing the output"), "{error}");

    // Nothing is imported whose result cannot be written.
    let file = servers.folder().join("opportunities.jsonl");
    std::fs::write(&file, "{}\n").expect("a file");
    let file = file.to_string_lossy();
    let import = ["import", "--file", &file, "--result", "/nonexistent/result.jsonl"];
    let refused = partner.run(&import).await;
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("/nonexistent/result.jsonl"), "{error}");
    assert_eq!(
        servers.count("SELECT count(*) FROM opportunity.bulk_job").await,
        0
    );
    running.stop().await;
}

/// The environment names a development installation; explicit options replace it completely.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explicit_options_override_the_environment() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let terminal = Terminal {
        servers: &servers,
        member: "alder-ace-user",
    };
    let text = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    let birch = text(running.info.tokens.join("birch-ace-manager"));
    let explicit = ["--address", &running.info.address, "--token-file", &birch];
    let shown = terminal
        .run_ok(&[&["account", "show"], &explicit[..]].concat())
        .await;
    assert!(shown.contains("Birch Data Ltd"), "{shown}");

    // Nothing listens at this address.
    let unused = format!("http://{}", ServiceProcess::address());
    let explicit = ["--address", &unused, "--token-file", &birch];
    terminal
        .run_err(&[&["account", "show"], &explicit[..]].concat())
        .await;
    let list = text(servers.folder().join("empty.jsonl"));
    std::fs::write(&list, "").expect("an empty list");
    terminal
        .run_err(&[&["directory", "apply", "-f", &list], &explicit[..]].concat())
        .await;

    let state = text(servers.state());
    let both = [&["account", "show"], &explicit[..], &["--dev-state", &state]].concat();
    let refused = terminal.run_err(&both).await;
    assert!(refused.contains("state one of the two"), "{refused}");
    let shown = terminal
        .run_ok(&["account", "show", "--as", "birch-ace-manager"])
        .await;
    assert!(shown.contains("Birch Data Ltd"), "{shown}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn output_includes_zero_and_false_values() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let lead = Terminal {
        servers: &servers,
        member: "alder-alliance-lead",
    };
    let found = lead.run_json(&["partners", "list", "--name", "birch"]).await;
    assert_eq!(found[0]["connected"], false, "{found}");
    let profile = found[0]["profile"]["profileId"].as_str().expect("a profile");
    let shown = lead.run_ok(&["partners", "show", profile]).await;
    assert!(
        shown
            .lines()
            .any(|line| line.split_whitespace().eq(["connected", "no"])),
        "{shown}"
    );

    let reviewer = Terminal {
        servers: &servers,
        member: "aws-reviewer",
    };
    let unread = reviewer.run_ok(&["notifications", "unread"]).await;
    assert!(unread.split_whitespace().eq(["unread_count", "0"]), "{unread}");
    let unread = reviewer.run_json(&["notifications", "unread"]).await;
    assert_eq!(unread, json!({"unreadCount": "0"}));
    // A message field that is not set is omitted.
    let account = reviewer.run_json(&["account", "show"]).await;
    assert_eq!(account["partnerTypes"], json!([]), "{account}");
    assert_eq!(account.get("profile"), None, "{account}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_fields_are_reported_with_allowed_values_and_pattern() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let lead = Terminal {
        servers: &servers,
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
    let refused = lead.run_err(&update(&["Aerospac"])).await;
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
        .run_err(&update(&[
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
