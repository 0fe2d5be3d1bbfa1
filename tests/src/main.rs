//! `cosell` as tests run it: with crash points that the environment sets, when it is built with the feature `sabotage`.

fn main() -> std::process::ExitCode {
    // Reads `FAILPOINTS`; lives as long as the process.
    #[cfg(feature = "sabotage")]
    let _scenario = fail::FailScenario::setup();
    cosell::main()
}
