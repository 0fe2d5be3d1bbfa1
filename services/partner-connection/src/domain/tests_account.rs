//! Covers accounts: profiles and their daily limits, changes by provisioning, terms, and suspension (DIR-001, DIR-003,
//! DIR-030 to DIR-032, DIR-050).

use cosell_types::Side;

use super::tests_connection::{account, first_account, profile_id, profile_text, suspended};
use super::tests_member::{QUOTAS, now};
use super::values::{AccountStatus, ProfileVisibility};
use super::{Account, AccountEvent, AccountFacts, Limit, Profile, Rule};

#[test]
fn dir_030_031_032_profile_is_validated_published_and_limited_per_day() {
    let mut partner = account('1', false);
    let without_profile = partner.set_profile_visibility(ProfileVisibility::Public, &QUOTAS, now());
    assert_eq!(without_profile, Err(Rule::ProfileRequired));
    let mut invalid = profile_text("Alder");
    invalid.industries = vec!["Nonsense".to_owned(), "Retail".to_owned(), "Retail".to_owned()];
    invalid.country_code = "XX".to_owned();
    invalid.localized = vec![super::LocalizedContent {
        locale: "EN-us".to_owned(),
        display_name: "Alder".to_owned(),
        description: String::new(),
    }];
    let Err(Rule::Invalid(violations)) = partner.update_profile(profile_id('1'), invalid, &QUOTAS, now())
    else {
        panic!("an invalid profile was accepted");
    };
    let fields: Vec<_> = violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "profile.industry_segments[0]",
            "profile.industry_segments[2]",
            "profile.headquarters_country_code",
            "profile.localized_contents[0].locale"
        ]
    );
    let mut write =
        |name: &str, letter| partner.update_profile(profile_id(letter), profile_text(name), &QUOTAS, now());
    assert!(write("Alder", '1').expect("a profile").is_some());
    assert_eq!(
        write("Alder", '9'),
        Ok(None),
        "an unchanged profile must not count towards the limit"
    );
    assert!(write("Alder Ltd", '9').expect("a profile").is_some());
    assert_eq!(
        write("Alder GmbH", '9'),
        Err(Rule::LimitExceeded(Limit::ProfileUpdatesPerDay, 2))
    );
    let profile = partner.profile().expect("a profile");
    assert_eq!(
        (&profile.id, profile.visibility),
        (&profile_id('1'), ProfileVisibility::Private)
    );
    let published = partner.set_profile_visibility(ProfileVisibility::Public, &QUOTAS, now());
    assert!(published.expect("a change").is_some());
    assert_eq!(
        partner.set_profile_visibility(ProfileVisibility::Public, &QUOTAS, now()),
        Ok(None)
    );
    let again = partner.set_profile_visibility(ProfileVisibility::Private, &QUOTAS, now());
    assert_eq!(again, Err(Rule::LimitExceeded(Limit::VisibilityUpdatesPerDay, 1)));
}

/// A record that changes several facts causes one event for each of them.
#[test]
fn dir_050_account_record_with_several_changes_causes_an_event_each() {
    let facts = account('1', false).facts().clone();
    let (mut partner, _) =
        Account::register(first_account(), Side::Partner, facts.clone(), false, None, now());
    let profile = account('1', true).profile().cloned().expect("a profile");
    let profile = Profile {
        visibility: ProfileVisibility::Public,
        ..profile
    };
    let other = AccountFacts {
        status: AccountStatus::Suspended,
        display_name: "Another name".to_owned(),
        ..facts
    };
    let mut events = Vec::new();
    while let Some(event) = partner.provision_next_change(&other, true, Some(&profile), now()) {
        events.push(event);
    }
    let expected = [
        AccountEvent::Suspended,
        AccountEvent::DetailsChanged,
        AccountEvent::TermsAccepted,
        AccountEvent::ProfileUpdated,
        AccountEvent::ProfileVisibilityChanged,
    ];
    assert_eq!(events, expected);
    assert_eq!(
        (partner.facts(), partner.profile(), partner.revision()),
        (&other, Some(&profile), 6)
    );
    let reinstated = AccountFacts {
        status: AccountStatus::Active,
        ..other
    };
    assert_eq!(
        partner.provision_next_change(&reinstated, true, None, now()),
        Some(AccountEvent::Reinstated)
    );
    assert_eq!(
        partner.provision_next_change(&reinstated, true, None, now()),
        None
    );
}

#[test]
fn dir_001_dir_003_dir_050_account_terms_are_accepted_once() {
    let mut partner = account('1', false);
    let facts = partner.facts().clone();
    assert_eq!(
        partner.provision_next_change(&facts, false, None, now()),
        None,
        "provisioning must not withdraw accepted terms"
    );
    assert_eq!(
        partner.accept_terms(&"lead".parse().expect("a member"), now()),
        None
    );
    let mut without_terms = Account::register(first_account(), Side::Partner, facts, false, None, now()).0;
    assert!(
        without_terms
            .accept_terms(&"lead".parse().expect("a member"), now())
            .is_some()
    );
    assert_eq!(
        without_terms.terms().and_then(|terms| terms.by.clone()),
        "lead".parse().ok()
    );
    assert_eq!(suspended(partner).require_active(), Err(Rule::AccountSuspended));
}
