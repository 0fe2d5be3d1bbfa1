//! The process of the referral service.

fn main() -> anyhow::Result<()> {
    cosell_service::main::<cosell_referral::Referrals>()
}
