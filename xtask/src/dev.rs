//! `cargo xtask dev`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::ensure;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::print_status;
use crate::stack::{Stack, StackArguments, relative_path};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    stack: StackArguments,
}

pub fn run(arguments: &Arguments, root: &Path) -> anyhow::Result<()> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, interrupted.clone())?;
    }
    let mut stack = Stack::start(arguments.stack, root)?;
    print_summary(&stack, root)?;
    while !interrupted.load(Ordering::Relaxed) {
        let log = stack.instance.folder.join("services.log");
        ensure!(
            !stack.has_ended(),
            "the services have exited; see {}",
            log.display()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    print_status("stopping the dev environment");
    stack.stop();
    Ok(())
}

fn print_summary(stack: &Stack, root: &Path) -> anyhow::Result<()> {
    let folder = relative_path(&stack.instance.folder, root);
    println!();
    println!("cosell is running. Press Ctrl-C to stop it.");
    println!();
    println!(
        "  gRPC     {}   (plaintext, with reflection)",
        stack.text("address")
    );
    println!("  health   {}", stack.text("health"));
    println!("  e-mail   {folder}/mail/*.eml   (cargo xtask mail)");
    println!("  logs     {folder}/services.log");
    println!("  psql     {}", stack.postgres.admin_url("postgres"));
    println!("  NATS     {}", stack.nats.url());
    println!();
    println!(
        "Members, each with a token in {folder}/state/tokens/<member>, valid for an hour and renewed automatically:"
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
    println!("Next: run `cargo xtask demo` in another terminal for a scenario from creation to validation.");
    Ok(())
}
