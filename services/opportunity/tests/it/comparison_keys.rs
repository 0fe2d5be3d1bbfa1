//! Covers texts that are compared by their keys: search, filters and partner identifiers, of new and of existing rows
//! (PLT-016, OPP-003, OPP-060, OPP-064).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::SortOrder;
use cosell_testkit::harness::{App, eventually, refused};
use sqlx::{AssertSqlSafe, PgConnection};
use tonic::{Code, Response, Status};

use crate::support::{
    client_for, create, create_request, list_all_ids, manager, record, request_id, start, user,
};

fn opportunity_with(company: &str, identifier: &str) -> pb::Opportunity {
    pb::Opportunity {
        partner_opportunity_identifier: identifier.to_owned(),
        ..record(company)
    }
}

/// The ids of a list, in ascending order.
async fn listed(app: &App, search: &str, filter: pb::OpportunityFilter) -> Vec<String> {
    let request = pb::ListOpportunitiesRequest {
        search: search.to_owned(),
        filter: Some(filter),
        sort_key: pb::OpportunitySortKey::OpportunityId.into(),
        sort_order: SortOrder::Ascending.into(),
        ..Default::default()
    };
    list_all_ids(app, &manager(), request).await.expect("pages")
}

async fn with_identifier(app: &App, identifier: &str) -> Vec<String> {
    let filter = pb::OpportunityFilter {
        partner_opportunity_identifiers: vec![identifier.to_owned()],
        ..Default::default()
    };
    listed(app, "", filter).await
}

async fn with_company(app: &App, company: &str) -> Vec<String> {
    let filter = pb::OpportunityFilter {
        customer_company_names: vec![company.to_owned()],
        ..Default::default()
    };
    listed(app, "", filter).await
}

async fn search_ids(app: &App, search: &str) -> Vec<String> {
    listed(app, search, pb::OpportunityFilter::default()).await
}

async fn try_create(
    app: &App,
    input: pb::Opportunity,
) -> Result<Response<pb::CreateOpportunityResponse>, Status> {
    let client = client_for(app, &manager());
    client
        .opportunities()
        .create_opportunity(create_request(input))
        .await
}

async fn update(app: &App, id: &str, input: pb::Opportunity) {
    let change = pb::UpdateOpportunityRequest {
        opportunity_id: id.to_owned(),
        opportunity: Some(input),
        ..Default::default()
    };
    let client = client_for(app, &manager());
    let changed = client.opportunities().update_opportunity(change).await;
    changed.expect("an update");
}

async fn execute(admin: &mut PgConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(admin).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

#[tokio::test]
async fn plt_016_search_and_filters_ignore_case_width_and_invisible_characters() {
    let app = start().await;
    let name = "Straßen\u{ad}bau ＡＧ";
    let created = create(&app, &user(), opportunity_with(name, "Ｃrm－1")).await;
    let account = created.customer.expect("a customer").account.expect("an account");
    assert_eq!(account.company_name, name, "stored as given");
    assert_eq!(created.partner_opportunity_identifier, "Ｃrm－1");
    create(&app, &user(), record("Alder")).await;
    let id = [created.opportunity_id];
    for company in [name, "STRASSENBAU AG", "strassen\u{200b}bau ag"] {
        assert_eq!(with_company(&app, company).await, id, "{company:?}");
    }
    assert_eq!(
        with_company(&app, "Strassenbau").await.len(),
        0,
        "a filter is no prefix"
    );
    for identifier in ["CRM-1", "Ｃrm－1"] {
        assert_eq!(with_identifier(&app, identifier).await, id, "{identifier:?}");
    }
    for search in ["STRASSENB", "straßenbau", "ａｇ"] {
        assert_eq!(search_ids(&app, search).await, id, "{search:?}");
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_064_search_finds_parts_of_cjk_texts() {
    let app = start().await;
    let mut ids = Vec::new();
    for company in [
        "東京電力ホールディングスABC株式会社",
        "대한민국전자",
        "Alder 京都",
    ] {
        ids.push(create(&app, &user(), record(company)).await.opportunity_id);
    }
    for (search, expected) in [
        ("電力", Some(0)),
        ("ﾎｰﾙﾃﾞｨﾝｸﾞｽ", Some(0)),
        ("電力ホールディングス", Some(0)),
        ("ABC株式", Some(0)),
        ("民国", None),
        ("민국", Some(1)),
        ("京都", Some(2)),
        ("alder 都", Some(2)),
        ("京電都", None),
    ] {
        let expected: Vec<_> = expected
            .map(|index: usize| ids[index].clone())
            .into_iter()
            .collect();
        assert_eq!(search_ids(&app, search).await, expected, "{search}");
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_003_identifiers_with_the_same_key_are_refused() {
    let app = start().await;
    let holder = create(&app, &manager(), opportunity_with("Alder", "CRM-1")).await;
    let again = try_create(&app, opportunity_with("Birch", "ｃrm-\u{200b}1")).await;
    let refusal = refused(again, Code::AlreadyExists, "PARTNER_IDENTIFIER_TAKEN");
    assert_eq!(refusal.metadata["opportunity_id"], holder.opportunity_id);
    for invisible in ["\u{200b}", "\u{ad}"] {
        let created = create(&app, &manager(), opportunity_with("Birch", invisible)).await;
        assert_eq!(created.partner_opportunity_identifier, "", "nothing is visible");
    }
    app.finish::<Opportunities>().await;
}

/// Restores the schema before migration 0022 and applies it to existing opportunities, two of which have identifiers
/// with the same key.
#[tokio::test]
async fn plt_016_migration_keys_existing_rows_and_keeps_collisions_apart() {
    let app = start().await;
    let mut ids = Vec::new();
    for (company, identifier) in [("Straße", "crm-1"), ("Alder", "crm-2"), ("Birch", "straße")] {
        ids.push(
            create(&app, &manager(), opportunity_with(company, identifier))
                .await
                .opportunity_id,
        );
        app.clock.advance(chrono::TimeDelta::minutes(1));
    }
    let mut admin = app.database.admin::<Opportunities>().await;
    for sql in [
        "DROP POLICY unkeyed ON opportunity",
        "DROP FUNCTION pass_partner_identifier_key() CASCADE",
        "ALTER TABLE opportunity DROP is_keyed, DROP company_key_for_aws, DROP company_key, DROP partner_identifier_key,
           DROP partner_identifier_collision, DROP keyed_revision",
        // The indexes that the migration replaces.
        "CREATE INDEX opportunity_by_company ON opportunity (account_id)",
        "CREATE INDEX opportunity_of_all_by_company ON opportunity (account_id)",
        "UPDATE opportunity SET partner_opportunity_identifier = 'CRM-1',
           record = jsonb_set(record, '{details,partner_opportunity_identifier}', '\"CRM-1\"')
         WHERE partner_opportunity_identifier = 'crm-2'",
        "DELETE FROM opportunity_word WHERE word ~ 'stra'",
        "SET ROLE opportunity_owner",
        include_str!("../../migrations/0022_comparison_keys.sql"),
        "RESET ROLE",
    ] {
        execute(&mut admin, sql).await;
    }
    assert_eq!(
        with_company(&app, "ALDER").await,
        [ids[1].as_str()],
        "keyed by the migration"
    );
    eventually(async || {
        let identifiers = with_identifier(&app, "STRASSE").await;
        let found = (
            with_company(&app, "STRASSE").await,
            search_ids(&app, "strass").await,
        );
        let expected = [&ids[..1], &ids[2..]];
        let is_keyed = identifiers == expected[1] && found.0 == expected[0] && found.1.contains(&ids[0]);
        is_keyed.then_some(()).ok_or(format!("{identifiers:?} {found:?}"))
    })
    .await;
    let mut both = ids[..2].to_vec();
    both.sort_by_key(|id| id[1..].parse::<i64>().expect("a number"));
    assert_eq!(with_identifier(&app, "Crm-1").await, both, "both are kept");
    // A change of the one that collides does not need another identifier.
    update(&app, &ids[1], opportunity_with("Elm", "CRM-1")).await;
    assert_eq!(with_identifier(&app, "Crm-1").await, both);
    let again = try_create(&app, opportunity_with("Oak", "crm-１")).await;
    refused(again, Code::AlreadyExists, "PARTNER_IDENTIFIER_TAKEN");
    // The key of a discarded opportunity passes to the other one.
    let discard = pb::DiscardDraftRequest {
        opportunity_id: ids[0].clone(),
        request_id: request_id(),
        ..Default::default()
    };
    let discarded = client_for(&app, &manager())
        .lifecycle()
        .discard_draft(discard)
        .await;
    discarded.expect("a discarded draft");
    let again = try_create(&app, opportunity_with("Oak", "crm-１")).await;
    let refusal = refused(again, Code::AlreadyExists, "PARTNER_IDENTIFIER_TAKEN");
    assert_eq!(refusal.metadata["opportunity_id"], ids[1]);
    app.finish::<Opportunities>().await;
}

/// A process of the version before writes rows without keys beside this one.
#[tokio::test]
async fn plt_016_rows_of_the_version_before_get_their_keys() {
    let app = start().await;
    let holder = create(&app, &manager(), opportunity_with("Alder", "CRM-1"))
        .await
        .opportunity_id;
    let created = create(&app, &manager(), opportunity_with("Birch", "CRM-2"))
        .await
        .opportunity_id;
    let updated = create(&app, &manager(), opportunity_with("Elm", "CRM-3"))
        .await
        .opportunity_id;
    let mut admin = app.database.admin::<Opportunities>().await;
    let number = |id: &str| id[1..].to_owned();
    // Inserted with the defaults of the new columns; updated without them.
    for sql in [
        format!(
            "UPDATE opportunity SET company_key = '', partner_identifier_key = '', keyed_revision = NULL,
               company_name = 'Oak', record = jsonb_set(record, '{{details,customer,account,company_name}}', '\"Oak\"')
             WHERE opportunity_id = {}",
            number(&created)
        ),
        format!(
            "UPDATE opportunity SET revision = revision + 1, partner_opportunity_identifier = 'crm-1',
               record = jsonb_set(jsonb_set(record, '{{details,partner_opportunity_identifier}}', '\"crm-1\"'),
                 '{{revision}}', '2')
             WHERE opportunity_id = {}",
            number(&updated)
        ),
    ] {
        execute(&mut admin, &sql).await;
    }
    // A change before the worker has keyed the row needs no other identifier, and keys it.
    update(&app, &updated, opportunity_with("Fir", "crm-1")).await;
    eventually(async || {
        let of_company = with_company(&app, "oak").await;
        let of_identifier = with_identifier(&app, "CRM-1").await;
        let is_keyed = of_company == [created.as_str()] && of_identifier.len() == 2;
        is_keyed
            .then_some(())
            .ok_or(format!("{of_company:?} {of_identifier:?}"))
    })
    .await;
    let both = with_identifier(&app, "CRM-1").await;
    assert!(both.contains(&holder) && both.contains(&updated), "{both:?}");
    assert_eq!(with_identifier(&app, "CRM-3").await.len(), 0);
    assert_eq!(with_identifier(&app, "crm-2").await, [created]);
    app.finish::<Opportunities>().await;
}

/// A comparison key can be eighteen times as long as its text. The page token has it.
#[tokio::test]
async fn plt_005_list_by_the_longest_keys_goes_on_to_its_end() {
    let app = start().await;
    for number in 0..3 {
        let company: String = ["\u{fdfa}", "\u{fdfb}"].into_iter().cycle().take(119).collect();
        let input = opportunity_with(&format!("{company}{number}"), &format!("CRM-{number}"));
        try_create(&app, input).await.expect("an opportunity");
    }
    let request = pb::ListOpportunitiesRequest {
        sort_key: pb::OpportunitySortKey::CustomerCompanyName.into(),
        page_size: 1,
        ..Default::default()
    };
    let ids = list_all_ids(&app, &manager(), request).await.expect("pages");
    assert_eq!(ids.len(), 3);
    app.finish::<Opportunities>().await;
}
