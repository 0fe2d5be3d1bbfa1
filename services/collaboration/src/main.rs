//! The process of the collaboration service.

fn main() -> anyhow::Result<()> {
    cosell_service::main::<cosell_collaboration::Collaboration>()
}
