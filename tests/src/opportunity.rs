use std::sync::LazyLock;

use cosell::demo;
use cosell_proto::cosell::opportunity::v1::Opportunity;
use cosell_testkit::harness::PeerStub;
use cosell_types::Clock;

use crate::repository::root;

/// The input file of the demo.
pub const DEMO_INPUT: &str = "services/cosell/demo/opportunities.json";

/// An opportunity that can be submitted, with a unique partner identifier.
pub fn valid_opportunity() -> Opportunity {
    static OPPORTUNITY: LazyLock<Opportunity> = LazyLock::new(|| {
        let input = demo::read_input(&root().join(DEMO_INPUT)).expect("the demo input");
        let today = Clock::system().now().date_naive();
        input.records[0].initial(today).expect("an opportunity")
    });
    Opportunity {
        partner_opportunity_identifier: PeerStub::id(),
        ..OPPORTUNITY.clone()
    }
}
