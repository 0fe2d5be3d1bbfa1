use std::sync::LazyLock;

use cosell::demo;
use cosell_proto::cosell::opportunity::v1::Opportunity;
use cosell_testkit::harness::FarEnd;
use cosell_types::Clock;

use crate::repository::root;

/// What the demonstration is played with.
pub const INPUT: &str = "services/cosell/demo/opportunities.json";

/// A record that can be submitted, with a key of its own.
pub fn record() -> Opportunity {
    static RECORD: LazyLock<Opportunity> = LazyLock::new(|| {
        let input = demo::read(&root().join(INPUT)).expect("the input");
        let today = Clock::system().now().date_naive();
        input.records[0].first(today).expect("a record")
    });
    Opportunity {
        partner_opportunity_identifier: FarEnd::id(),
        ..RECORD.clone()
    }
}
