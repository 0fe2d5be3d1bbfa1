//! Covers the search for partners: every filter of `ListPartners` (DIR-040), and private profiles (DIR-031).

use cosell_partner_connection::Partners;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{App, eventually, refused};
use tonic::Code;

use crate::support::{
    ALDER, AWS, BIRCH, Clients, account_record, account_request, alliance_lead, apply, caller, clients,
    create_connection, get_profile_id, start,
};

async fn list_partner_names(clients: &mut Clients, filter: pb::PartnerFilter) -> Vec<String> {
    let mut request = pb::ListPartnersRequest {
        filter: Some(filter),
        page_size: 2,
        ..Default::default()
    };
    let mut partner_names = Vec::new();
    loop {
        let page = clients
            .accounts()
            .list_partners(request.clone())
            .await
            .expect("a page")
            .into_inner();
        let names = page.partners.into_iter().filter_map(|partner| partner.profile);
        partner_names.extend(names.map(|profile| profile.display_name));
        if page.next_page_token.is_empty() {
            return partner_names;
        }
        request.page_token = page.next_page_token;
    }
}

async fn provision_more_partners(app: &App) {
    let mut elm = account_record("444444444444", "elm Cloud");
    elm.partner_types = vec![
        pb::PartnerType::Reseller.into(),
        pb::PartnerType::Distributor.into(),
    ];
    elm.programs = vec!["Workspaces".to_owned()];
    elm.specializations = vec!["Security".to_owned()];
    if let Some(profile) = &mut elm.profile {
        profile.description = "100% of clouds_and more".to_owned();
        profile.industry_segments = vec!["Gaming".to_owned(), "Travel".to_owned()];
        profile.primary_solution_type = pb::SolutionType::TrainingServices.into();
        profile.headquarters_country_code = "FR".to_owned();
    }
    let mut hidden = account_record("555555555555", "Fir");
    hidden.visibility = pb::ProfileVisibility::Private.into();
    apply(app, vec![account_request(elm), account_request(hidden)]).await;
}

#[tokio::test]
async fn dir_040_partner_search_applies_every_filter() {
    let app = start().await;
    provision_more_partners(&app).await;
    create_connection(&app, ALDER, BIRCH).await;
    let mut alder = clients(&app, &caller(ALDER, "alder-user"));
    let all = ["Alder", "Birch", "elm Cloud"].as_slice();
    let elm = ["elm Cloud"].as_slice();
    let alder_and_birch = ["Alder", "Birch"].as_slice();
    let no_filter = pb::PartnerFilter::default;
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    for (filter, expected) in [
        (no_filter(), all),
        (
            pb::PartnerFilter {
                name: "ELM".to_owned(),
                ..no_filter()
            },
            elm,
        ),
        (
            pb::PartnerFilter {
                name: "ｅｌＭ\u{200b} cloud".to_owned(),
                ..no_filter()
            },
            elm,
        ),
        (
            pb::PartnerFilter {
                name: "%".to_owned(),
                ..no_filter()
            },
            [].as_slice(),
        ),
        (
            pb::PartnerFilter {
                keywords: texts(&["100%", "CLOUDS_"]),
                ..no_filter()
            },
            elm,
        ),
        (
            pb::PartnerFilter {
                keywords: texts(&["100%", "warehouses"]),
                ..no_filter()
            },
            &[],
        ),
        (
            pb::PartnerFilter {
                industry_segments: texts(&["Travel"]),
                ..no_filter()
            },
            elm,
        ),
        (
            pb::PartnerFilter {
                headquarters_country_codes: texts(&["FR", "IT"]),
                ..no_filter()
            },
            elm,
        ),
        (
            pb::PartnerFilter {
                programs: texts(&["Well-Architected"]),
                ..no_filter()
            },
            alder_and_birch,
        ),
        (
            pb::PartnerFilter {
                specializations: texts(&["Security", "Migration"]),
                ..no_filter()
            },
            all,
        ),
        (
            pb::PartnerFilter {
                partner_types: vec![pb::PartnerType::Distributor.into()],
                ..no_filter()
            },
            elm,
        ),
        (
            pb::PartnerFilter {
                solution_types: vec![pb::SolutionType::SoftwareProducts.into()],
                ..no_filter()
            },
            alder_and_birch,
        ),
        (
            pb::PartnerFilter {
                connected: Some(true),
                ..no_filter()
            },
            &["Birch"],
        ),
        (
            pb::PartnerFilter {
                connected: Some(false),
                ..no_filter()
            },
            &["Alder", "elm Cloud"],
        ),
        (
            pb::PartnerFilter {
                name: "b".to_owned(),
                industry_segments: texts(&["Gaming"]),
                ..no_filter()
            },
            &[],
        ),
    ] {
        assert_eq!(
            list_partner_names(&mut alder, filter.clone()).await,
            expected,
            "{filter:?}"
        );
    }
    let mut aws = clients(&app, &caller(AWS, "aws-pdm"));
    assert_eq!(list_partner_names(&mut aws, no_filter()).await, all);
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_031_private_profile_is_not_found_by_other_partners() {
    let app = start().await;
    let id = get_profile_id(&app, BIRCH).await;
    let get_request = |id: &str| pb::GetPartnerRequest {
        profile_id: id.to_owned(),
    };
    let mut alder = clients(&app, &caller(ALDER, "alder-user"));
    let seen = alder
        .accounts()
        .get_partner(get_request(&id))
        .await
        .expect("a partner")
        .into_inner();
    assert!(!seen.partner.expect("a partner").connected);
    let hide = pb::SetProfileVisibilityRequest {
        visibility: pb::ProfileVisibility::Private.into(),
        ..Default::default()
    };
    alliance_lead(&app, BIRCH)
        .accounts()
        .set_profile_visibility(hide)
        .await
        .expect("a change");
    let nonexistent = "pprofile-0000000000000";
    let hidden = refused(
        alder.accounts().get_partner(get_request(&id)).await,
        Code::NotFound,
        "PROFILE_NOT_FOUND",
    );
    let absent = refused(
        alder.accounts().get_partner(get_request(nonexistent)).await,
        Code::NotFound,
        "PROFILE_NOT_FOUND",
    );
    assert_eq!(
        hidden.message.replace(&id, ""),
        absent.message.replace(nonexistent, "")
    );
    assert_eq!(
        list_partner_names(&mut alder, pb::PartnerFilter::default()).await,
        ["Alder"]
    );
    app.finish::<Partners>().await;
}

/// Profiles that a version without comparison keys has stored get their keys.
#[tokio::test]
async fn plt_016_profiles_of_the_version_before_get_their_keys() {
    let app = start().await;
    let mut admin = app.database.admin::<Partners>().await;
    let unkeyed =
        "UPDATE profile SET display_name = 'Straße', description = 'Großes Lager', keyed_text = NULL,
         record = jsonb_set(jsonb_set(record, '{text,display_name}', '\"Straße\"'),
           '{text,description}', '\"Großes Lager\"')
       WHERE display_name = 'Birch'";
    sqlx::raw_sql(unkeyed)
        .execute(&mut admin)
        .await
        .expect("an update");
    let sql = "UPDATE account SET record = jsonb_set(jsonb_set(record, '{profile,text,display_name}', '\"Straße\"'),
         '{profile,text,description}', '\"Großes Lager\"')
       WHERE account_id = '222222222222'";
    sqlx::raw_sql(sql).execute(&mut admin).await.expect("an update");
    let mut alder = clients(&app, &caller(ALDER, "alder-user"));
    let filter = pb::PartnerFilter {
        name: "STRASSE".to_owned(),
        keywords: vec!["grosses".to_owned()],
        ..Default::default()
    };
    eventually(async || {
        let names = list_partner_names(&mut alder, filter.clone()).await;
        (names == ["Straße"]).then_some(()).ok_or(format!("{names:?}"))
    })
    .await;
    app.finish::<Partners>().await;
}

/// Restores the schema before migration 0017 and applies it to existing profiles, in a transaction that the worker does
/// not see.
#[tokio::test]
async fn plt_016_migration_keys_existing_profiles() {
    let app = start().await;
    let mut admin = app.database.admin::<Partners>().await;
    for sql in [
        "BEGIN",
        "DROP POLICY unkeyed ON profile",
        "ALTER TABLE profile DROP is_keyed, DROP keyed_text, DROP description_key, DROP name_key",
        // The index that the migration replaces.
        "CREATE INDEX profile_by_name ON profile (display_name)",
        "SET ROLE partner_owner",
        include_str!("../../migrations/0017_comparison_keys.sql"),
        "RESET ROLE",
    ] {
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut admin).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let keys: Vec<String> = sqlx::query_scalar("SELECT name_key FROM profile WHERE NOT is_keyed ORDER BY 1")
        .fetch_all(&mut admin)
        .await
        .expect("keys");
    assert!(
        keys.starts_with(&["alder".to_owned(), "birch".to_owned()]),
        "{keys:?}"
    );
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut admin)
        .await
        .expect("a rollback");
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_040_filter_without_a_visible_character_is_refused() {
    let app = start().await;
    let alder = clients(&app, &caller(ALDER, "alder-user"));
    let request = pb::ListPartnersRequest {
        filter: Some(pb::PartnerFilter {
            name: "\u{200b} ".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let answer = alder.accounts().list_partners(request).await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["filter.name"]);
}
