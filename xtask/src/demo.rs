//! `cargo xtask demo` and `cargo xtask mail`.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::stack::{Instance, Stack, StackArguments, build};
use crate::{passed, say, survive};

const INPUT: &str = "services/cosell/demo/opportunities.json";

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    stack: StackArguments,
}

pub fn run(arguments: &Arguments, root: &Path) -> anyhow::Result<ExitCode> {
    if let Some(folder) = Instance::running() {
        say("playing against the stack that runs");
        let program = build(arguments.stack.release, root)?;
        return passed(&mut play(&program, &folder, root));
    }
    say("no stack runs; starting one for the demonstration");
    survive()?;
    let mut stack = Stack::start(arguments.stack, root)?;
    let program = build(arguments.stack.release, root)?;
    let code = passed(&mut play(&program, &stack.instance.folder, root));
    stack.stop();
    code
}

fn play(program: &Path, folder: &Path, root: &Path) -> Command {
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

/// Shows the e-mails of the running stack.
pub fn mail() -> anyhow::Result<()> {
    let folder = Instance::running().context("no stack runs; start one with `cargo xtask dev`")?;
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
