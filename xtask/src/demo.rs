//! `cargo xtask demo` and `cargo xtask mail`.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::stack::{Instance, Stack, StackArguments, build_services};
use crate::{ignore_signals, print_status, run_with_exit_code};

const INPUT: &str = "services/cosell/demo/opportunities.json";

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    stack: StackArguments,
}

pub fn run(arguments: &Arguments, root: &Path) -> anyhow::Result<ExitCode> {
    if let Some(folder) = Instance::find_running() {
        print_status("running the demo against the running dev environment");
        let program = build_services(arguments.stack.release, root)?;
        return run_with_exit_code(&mut demo_command(&program, &folder, root));
    }
    print_status("no dev environment is running; starting one for the demo");
    ignore_signals()?;
    let mut stack = Stack::start(arguments.stack, root)?;
    let program = build_services(arguments.stack.release, root)?;
    let code = run_with_exit_code(&mut demo_command(&program, &stack.instance.folder, root));
    stack.stop();
    code
}

fn demo_command(program: &Path, folder: &Path, root: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .arg("demo")
        .arg("--state")
        .arg(folder.join("state"))
        .arg("--mail")
        .arg(folder.join("mail"));
    command.arg("--input").arg(root.join(INPUT));
    command
}

/// Prints the e-mails of the running dev environment.
pub fn print_mails() -> anyhow::Result<()> {
    let folder = Instance::find_running()
        .context("no dev environment is running; start one with `cargo xtask dev`")?;
    let mut paths: Vec<_> = std::fs::read_dir(folder.join("mail"))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for path in &paths {
        println!("{}\n{}", "─".repeat(80), std::fs::read_to_string(path)?);
    }
    println!("{}\n{} e-mails", "─".repeat(80), paths.len());
    Ok(())
}
