//! The process of the partner-connection service.

fn main() -> anyhow::Result<()> {
    cosell_service::main::<cosell_partner_connection::Partners>()
}
