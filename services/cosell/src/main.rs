//! The `cosell` program.

fn main() -> std::process::ExitCode {
    cosell::main()
}
