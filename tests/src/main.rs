//! The `cosell` program that tests run as a child process. With the feature `sabotage`, the environment sets its crash
//! points.

fn main() -> std::process::ExitCode {
    // Reads `FAILPOINTS`; must live as long as the process.
    #[cfg(feature = "sabotage")]
    let _scenario = fail::FailScenario::setup();
    cosell::main()
}
