use cosell::demo;
use cosell_proto::cosell::opportunity::v1::Opportunity;
use cosell_testkit::harness::FarEnd;
use cosell_types::Clock;

use crate::repository::root;

/// What the demonstration is played with.
pub const INPUT: &str = "services/cosell/demo/opportunities.json";

/// A record that can be submitted, with a key of its own.
pub fn record() -> Opportunity {
    let input = demo::read(&root().join(INPUT)).expect("the input");
    let today = Clock::system().now().date_naive();
    Opportunity {
        partner_opportunity_identifier: FarEnd::id(),
        ..input.records[0].first(today).expect("a record")
    }
}
