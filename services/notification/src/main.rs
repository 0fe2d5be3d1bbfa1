//! The process of the notification service.

fn main() -> anyhow::Result<()> {
    cosell_service::main::<cosell_notification::Notifications>()
}
