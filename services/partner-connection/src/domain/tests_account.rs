//! Accounts: their profiles, and what the master list does.

use cosell_types::Side;

use super::tests_connection::{account, one, profile_id, suspended, text};
use super::tests_member::{QUOTAS, now};
use super::values::{AccountStatus, ProfileVisibility};
use super::{Account, AccountEvent, AccountFacts, Limit, Profile, Rule};

#[test]
fn dir_030_031_032_a_profile_is_written_shown_and_hidden() {
    let mut company = account('1', false);
    let hidden = company.set_visibility(ProfileVisibility::Public, &QUOTAS, now());
    assert_eq!(hidden, Err(Rule::ProfileRequired));
    let mut wrong = text("Alder");
    wrong.industries = vec!["Nonsense".to_owned(), "Retail".to_owned(), "Retail".to_owned()];
    wrong.country_code = "XX".to_owned();
    wrong.localized = vec![super::LocalizedContent {
        locale: "EN-us".to_owned(),
        display_name: "Alder".to_owned(),
        description: String::new(),
    }];
    let Err(Rule::Invalid(found)) = company.write_profile(profile_id('1'), wrong, &QUOTAS, now()) else {
        panic!("a wrong profile was taken");
    };
    let fields: Vec<_> = found.iter().map(|violation| violation.field.as_str()).collect();
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
        |name: &str, letter| company.write_profile(profile_id(letter), text(name), &QUOTAS, now());
    assert!(write("Alder", '1').expect("a profile").is_some());
    assert_eq!(
        write("Alder", '9'),
        Ok(None),
        "the same is no change and counts for nothing"
    );
    assert!(write("Alder Ltd", '9').expect("a profile").is_some());
    assert_eq!(
        write("Alder GmbH", '9'),
        Err(Rule::LimitExceeded(Limit::ProfileUpdates, 2))
    );
    let profile = company.profile().expect("a profile");
    assert_eq!(
        (&profile.id, profile.visibility),
        (&profile_id('1'), ProfileVisibility::Private)
    );
    let shown = company.set_visibility(ProfileVisibility::Public, &QUOTAS, now());
    assert!(shown.expect("a change").is_some());
    assert_eq!(
        company.set_visibility(ProfileVisibility::Public, &QUOTAS, now()),
        Ok(None)
    );
    let again = company.set_visibility(ProfileVisibility::Private, &QUOTAS, now());
    assert_eq!(again, Err(Rule::LimitExceeded(Limit::VisibilityUpdates, 1)));
}

/// Whoever reads the events learns each thing that happened, though the list said all of it in one record.
#[test]
fn dir_050_each_thing_that_the_master_list_changes_of_an_account_is_an_event() {
    let facts = account('1', false).facts().clone();
    let (mut company, _) = Account::register(one(), Side::Partner, facts.clone(), false, None, now());
    let listed = account('1', true).profile().cloned().expect("a profile");
    let listed = Profile {
        visibility: ProfileVisibility::Public,
        ..listed
    };
    let other = AccountFacts {
        status: AccountStatus::Suspended,
        display_name: "Another name".to_owned(),
        ..facts
    };
    let mut events = Vec::new();
    while let Some(event) = company.provision(&other, true, Some(&listed), now()) {
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
        (company.facts(), company.profile(), company.revision()),
        (&other, Some(&listed), 6)
    );
    let back = AccountFacts {
        status: AccountStatus::Active,
        ..other
    };
    assert_eq!(
        company.provision(&back, true, None, now()),
        Some(AccountEvent::Reinstated)
    );
    assert_eq!(company.provision(&back, true, None, now()), None);
}

#[test]
fn dir_001_dir_003_dir_050_accounts_are_registered_changed_and_bound_by_the_terms_once() {
    let mut company = account('1', false);
    let facts = company.facts().clone();
    assert_eq!(
        company.provision(&facts, false, None, now()),
        None,
        "accepted terms stay so"
    );
    assert_eq!(
        company.accept_terms(&"lead".parse().expect("a member"), now()),
        None
    );
    let mut fresh = Account::register(one(), Side::Partner, facts, false, None, now()).0;
    assert!(
        fresh
            .accept_terms(&"lead".parse().expect("a member"), now())
            .is_some()
    );
    assert_eq!(
        fresh.terms().and_then(|terms| terms.by.clone()),
        "lead".parse().ok()
    );
    assert_eq!(suspended(company).require_active(), Err(Rule::AccountSuspended));
}
