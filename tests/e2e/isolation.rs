//! Accounts stay apart, whoever asks for what.

use std::collections::BTreeSet;

use cosell_testkit::harness::member;
use cosell_tests::World;
use cosell_tests::isolation::{changed, is_told_aws, strangers};
use cosell_tests::scene::{HOLDER, Scene};
use cosell_types::Side;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_011_012_020_nobody_learns_or_changes_anything_of_another_account() {
    let world = World::start();
    let running = world.run().await;
    let scene = Scene::new(&world, running.channel(), &running.info);
    scene.neighbours().await;

    // What Alder does changes what Alder is told, and nobody else.
    let own = [member(HOLDER, cosell::ALDER, Side::Partner, &[])];
    let (before, of_own) = (scene.told(&strangers()).await, scene.told(&own).await);
    let records = scene.records().await;
    let told: Vec<_> = changed(&before, &scene.told(&strangers()).await)
        .into_iter()
        .filter(|(rpc, actor)| !is_told_aws(rpc, actor))
        .collect();
    assert!(told.is_empty(), "{told:?}");
    let told: BTreeSet<_> = changed(&of_own, &scene.told(&own).await);
    let told: BTreeSet<_> = told.iter().map(|(rpc, _)| rpc.as_str()).collect();
    let all: BTreeSet<_> = of_own.keys().map(|(rpc, _)| rpc.as_str()).collect();
    // The queue and referrals are AWS's, offers and invitations are not for ACE users; pick lists and products are
    // everybody's; and it is a colleague who does not want to be asked to channels.
    let same: Vec<_> = all.difference(&told).copied().collect();
    assert_eq!(
        same,
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
        "what Alder's own doings must change"
    );

    scene.strangers_learn_and_change_nothing(&records, &[]).await;
    running.stop().await;
}
