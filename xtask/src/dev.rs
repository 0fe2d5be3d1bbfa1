//! `cargo xtask dev`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::ensure;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::say;
use crate::stack::{Stack, StackArguments, short};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    stack: StackArguments,
}

pub fn run(arguments: &Arguments, root: &Path) -> anyhow::Result<()> {
    let asked_to_end = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, asked_to_end.clone())?;
    }
    let mut stack = Stack::start(arguments.stack, root)?;
    print(&stack, root)?;
    while !asked_to_end.load(Ordering::Relaxed) {
        let log = stack.instance.folder.join("services.log");
        ensure!(
            !stack.has_ended(),
            "the services have ended by themselves; see {}",
            log.display()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    say("ending everything");
    stack.stop();
    Ok(())
}

fn print(stack: &Stack, root: &Path) -> anyhow::Result<()> {
    let folder = short(&stack.instance.folder, root);
    println!();
    println!("cosell runs. Ctrl-C ends it.");
    println!();
    println!(
        "  gRPC     {}   (plain text, reflection is on)",
        stack.text("address")
    );
    println!("  health   {}", stack.text("health"));
    println!("  e-mail   {folder}/mail/*.eml   (cargo xtask mail)");
    println!("  logs     {folder}/services.log");
    println!("  psql     {}", stack.postgres.admin_url("postgres"));
    println!("  NATS     {}", stack.nats.url());
    println!();
    println!(
        "Members, each with a token in {folder}/state/tokens/<member>, good for an hour and written anew:"
    );
    println!();
    let members = stack.info["members"].as_object().cloned().unwrap_or_default();
    for (member, account) in &members {
        println!("  {member:<28} account {}", account.as_str().unwrap_or_default());
    }
    println!();
    for member in ["alder-ace-user", "birch-ace-manager", "aws-reviewer"] {
        let token = std::fs::read_to_string(stack.instance.folder.join("state/tokens").join(member))?;
        println!("  {member}:\n  {token}\n");
    }
    println!(
        "Next: `cargo xtask demo` in another terminal plays the journey of an opportunity against this stack."
    );
    Ok(())
}
