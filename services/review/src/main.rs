//! The process of the review service.

fn main() -> anyhow::Result<()> {
    cosell_service::main::<cosell_review::Reviews>()
}
