//! Isolation of accounts: no caller reads or changes records of an unrelated account.

use std::collections::BTreeSet;

use cosell_testkit::harness::member;
use cosell_tests::TestServers;
use cosell_tests::isolation::{changed_responses, is_visible_to_aws, unrelated_callers};
use cosell_tests::scenario::{OWNER, Scenario};
use cosell_types::Side;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_011_012_020_unrelated_caller_neither_reads_nor_changes_an_account() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let scenario = Scenario::new(&servers, running.channel(), &running.info);
    scenario.provision_partners().await;

    // New records of Alder change responses to Alder only.
    let owner = [member(OWNER, cosell::ALDER, Side::Partner, &[])];
    let before = scenario.read_responses(&unrelated_callers()).await;
    let owner_before = scenario.read_responses(&owner).await;
    let records = scenario.create_records().await;
    let after = scenario.read_responses(&unrelated_callers()).await;
    let disclosed: Vec<_> = changed_responses(&before, &after)
        .into_iter()
        .filter(|(rpc, actor)| !is_visible_to_aws(rpc, actor))
        .collect();
    assert!(disclosed.is_empty(), "{disclosed:?}");
    let changed: BTreeSet<_> = changed_responses(&owner_before, &scenario.read_responses(&owner).await);
    let changed: BTreeSet<_> = changed.iter().map(|(rpc, _)| rpc.as_str()).collect();
    let all: BTreeSet<_> = owner_before.keys().map(|(rpc, _)| rpc.as_str()).collect();
    // Review cases and referrals belong to AWS, ACE users have no access to offers and invitations, standard values and
    // products are the same for all accounts, and the channel preferences are those of a colleague.
    let unchanged: Vec<_> = all.difference(&changed).copied().collect();
    assert_eq!(
        unchanged,
        [
            "GetChannelPreferences",
            "GetImportTemplate",
            "ListEngagementInvitations",
            "ListProducts",
            "ListReferralOffers",
            "ListReferrals",
            "ListReviewCases",
            "ListStandardValues"
        ],
        "read RPCs whose response to the owner does not change"
    );

    scenario.assert_isolated(&records, &[]).await;
    running.stop().await;
}
