//! The process of the opportunity service.

fn main() -> anyhow::Result<()> {
    cosell_service::main::<cosell_opportunity::Opportunities>()
}
