//! The `cosell` program.

fn main() -> anyhow::Result<()> {
    cosell::main()
}
