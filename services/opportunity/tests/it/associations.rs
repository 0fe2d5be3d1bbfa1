//! Solutions, products and offers over a real connection.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::partner::v1::{
    ConnectionCanceled, ConnectionEstablished, ConnectionEventDetail, ConnectionStatus, ConnectionType,
};
use cosell_proto::cosell::r#type::v1::SortOrder;
use cosell_testkit::harness::{App, eventually, refused, service};
use cosell_types::Caller;
use tonic::Code;

use crate::reviewer::start_with_review;
use crate::support::{
    ALDER, BIRCH, by, catalog, create, get, manager, record, request_id, start, stranger, user,
};

fn request(id: &str, kind: pb::RelatedEntityType, identifier: &str) -> pb::AssociateEntityRequest {
    pb::AssociateEntityRequest {
        opportunity_id: id.to_owned(),
        entity_type: kind.into(),
        entity_identifier: identifier.to_owned(),
        ..Default::default()
    }
}

fn offer(number: u8) -> String {
    format!("arn:aws:aws-marketplace:us-east-1:{ALDER}:AWSMarketplace/Offer/offer-{number}")
}

#[tokio::test]
async fn opp_045_046_entities_are_added_and_taken_away_one_by_one() {
    let app = start().await;
    catalog(&app).await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    let add = pb::AssociateEntityRequest {
        request_id: request_id(),
        ..request(&id, pb::RelatedEntityType::Solutions, "S-1")
    };
    for _ in 0..2 {
        let answer = by(&app, &user())
            .opportunities()
            .associate_entity(add.clone())
            .await
            .expect("a solution");
        let related = answer
            .into_inner()
            .opportunity
            .and_then(|record| record.related_entity_identifiers);
        assert_eq!(related.expect("entities").solutions, ["S-1"]);
    }
    by(&app, &user())
        .opportunities()
        .associate_entity(request(&id, pb::RelatedEntityType::AwsProducts, "AmazonEC2"))
        .await
        .expect("a product");
    assert_eq!(get(&app, &user(), &id).await.revision, 3);
    for (kind, identifier) in [
        (pb::RelatedEntityType::Solutions, "S-13"),
        (pb::RelatedEntityType::Solutions, "soln-1"),
        (pb::RelatedEntityType::AwsProducts, "AmazonNothing"),
    ] {
        let refusal = refused(
            by(&app, &user())
                .opportunities()
                .associate_entity(request(&id, kind, identifier))
                .await,
            Code::InvalidArgument,
            "INVALID_FIELDS",
        );
        assert_eq!(refusal.paths(), ["entity_identifier"], "{identifier}");
    }
    let remove = pb::DisassociateEntityRequest {
        opportunity_id: id.clone(),
        entity_type: pb::RelatedEntityType::Solutions.into(),
        entity_identifier: "S-1".to_owned(),
        ..Default::default()
    };
    refused(
        by(&app, &stranger())
            .opportunities()
            .disassociate_entity(remove.clone())
            .await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    by(&app, &user())
        .opportunities()
        .disassociate_entity(remove)
        .await
        .expect("no solution");
    let related = get(&app, &user(), &id)
        .await
        .related_entity_identifiers
        .expect("entities");
    assert!(related.solutions.is_empty());
    assert_eq!(related.aws_products, ["AmazonEC2"]);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_047_an_offer_has_one_deal() {
    let app = start().await;
    let one = create(&app, &user(), record("Alder")).await.opportunity_id;
    let other = create(&app, &user(), record("Birch")).await.opportunity_id;
    let kind = pb::RelatedEntityType::AwsMarketplaceOffers;
    by(&app, &user())
        .opportunities()
        .associate_entity(request(&one, kind, &offer(1)))
        .await
        .expect("an offer");
    let refusal = refused(
        by(&app, &user())
            .opportunities()
            .associate_entity(request(&other, kind, &offer(1)))
            .await,
        Code::AlreadyExists,
        "MARKETPLACE_OFFER_TAKEN",
    );
    assert_eq!(refusal.paths(), ["entity_identifier"]);
    let remove = pb::DisassociateEntityRequest {
        opportunity_id: one,
        entity_type: kind.into(),
        entity_identifier: offer(1),
        ..Default::default()
    };
    by(&app, &user())
        .opportunities()
        .disassociate_entity(remove)
        .await
        .expect("no offer");
    by(&app, &user())
        .opportunities()
        .associate_entity(request(&other, kind, &offer(1)))
        .await
        .expect("the offer is free");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_048_entities_of_a_subsidiary_can_be_named_as_long_as_the_connection_is_in_force() {
    let (app, far) = start_with_review().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    let theirs = |name: &str| {
        format!("arn:aws:aws-marketplace:us-east-1:{BIRCH}:AWSMarketplace/SaaSProduct/prod-{name}")
    };
    let kind = pb::RelatedEntityType::AwsMarketplaceProducts;
    let missing = "MISSING_ACTIVE_SUBSIDIARY_CONNECTION";
    refused(
        by(&app, &user())
            .opportunities()
            .associate_entity(request(&id, kind, &theirs("a")))
            .await,
        Code::FailedPrecondition,
        missing,
    );
    let connection = "pac-0000000000001";
    let detail = |revision, status: ConnectionStatus| {
        Some(ConnectionEventDetail {
            connection_id: connection.to_owned(),
            account_id: ALDER.to_owned(),
            revision,
            other_account_id: BIRCH.to_owned(),
            connection_type: ConnectionType::Subsidiary.into(),
            status: status.into(),
        })
    };
    let event = ConnectionEstablished {
        detail: detail(1, ConnectionStatus::Active),
    };
    far.tell("partner", ALDER, connection, 1, &event).await;
    eventually(async || {
        by(&app, &user())
            .opportunities()
            .associate_entity(request(&id, kind, &theirs("a")))
            .await
    })
    .await;
    let event = ConnectionCanceled {
        detail: detail(2, ConnectionStatus::Canceled),
        canceled_by_account_id: BIRCH.to_owned(),
    };
    far.tell("partner", ALDER, connection, 2, &event).await;
    eventually(async || {
        let request = pb::AssociateEntityRequest {
            validate_only: true,
            ..request(&id, kind, &theirs("b"))
        };
        match by(&app, &user()).opportunities().associate_entity(request).await {
            Ok(_) => Err("the connection is still in force"),
            Err(_) => Ok(()),
        }
    })
    .await;
    refused(
        by(&app, &user())
            .opportunities()
            .associate_entity(request(&id, kind, &theirs("b")))
            .await,
        Code::FailedPrecondition,
        missing,
    );
    app.finish::<Opportunities>().await;
}

async fn listed(app: &App, caller: &Caller, mut request: pb::ListSolutionsRequest) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..20 {
        let page = by(app, caller)
            .catalog()
            .list_solutions(request.clone())
            .await
            .expect("a page")
            .into_inner();
        ids.extend(page.solutions.into_iter().map(|solution| solution.solution_id));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return ids;
        }
    }
    panic!("there is no end: {ids:?}")
}

#[tokio::test]
async fn opp_046_solutions_are_listed_in_every_order_and_by_every_filter() {
    let app = start().await;
    catalog(&app).await;
    let base = || pb::ListSolutionsRequest {
        page_size: 5,
        ..Default::default()
    };
    let by_id: Vec<_> = (1..=14).map(|number| format!("S-{number}")).collect();
    let backwards: Vec<_> = by_id.iter().rev().cloned().collect();
    assert_eq!(listed(&app, &manager(), base()).await, by_id);
    assert!(listed(&app, &stranger(), base()).await.is_empty());
    for (key, order, expected) in [
        (pb::SolutionSortKey::SolutionId, SortOrder::Descending, &backwards),
        (pb::SolutionSortKey::Name, SortOrder::Ascending, &backwards),
        (pb::SolutionSortKey::Name, SortOrder::Descending, &by_id),
        (pb::SolutionSortKey::Category, SortOrder::Ascending, &by_id),
        (pb::SolutionSortKey::CreateTime, SortOrder::Descending, &backwards),
    ] {
        let request = pb::ListSolutionsRequest {
            sort_key: key.into(),
            sort_order: order.into(),
            ..base()
        };
        assert_eq!(
            listed(&app, &manager(), request).await,
            *expected,
            "{key:?} {order:?}"
        );
    }
    let by_status = pb::ListSolutionsRequest {
        sort_key: pb::SolutionSortKey::Status.into(),
        statuses: vec![
            pb::SolutionStatus::Inactive.into(),
            pb::SolutionStatus::Draft.into(),
        ],
        ..base()
    };
    assert_eq!(listed(&app, &manager(), by_status).await, ["S-14", "S-13"]);
    let by_ids = pb::ListSolutionsRequest {
        solution_ids: vec!["S-3".to_owned(), "S-99".to_owned()],
        categories: vec!["managed service".to_owned()],
        ..base()
    };
    assert_eq!(listed(&app, &manager(), by_ids).await, ["S-3"]);
    let elsewhere = pb::ListSolutionsRequest {
        aws_marketplace_solutions: vec!["arn:aws:aws-marketplace:1".to_owned()],
        ..base()
    };
    assert!(listed(&app, &manager(), elsewhere).await.is_empty());

    let products = pb::ListProductsRequest {
        search: "compute".to_owned(),
        page_size: 1,
        ..Default::default()
    };
    let page = by(&app, &manager())
        .catalog()
        .list_products(products.clone())
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(page.products[0].product_id, "AmazonEC2");
    let next = pb::ListProductsRequest {
        page_token: page.next_page_token,
        ..products
    };
    let page = by(&app, &manager())
        .catalog()
        .list_products(next)
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(page.products[0].product_id, "AmazonRDS");
    assert_eq!(page.next_page_token, "");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_046_a_list_is_taken_over_whole_or_not_at_all_and_by_its_keeper_only() {
    let app = start().await;
    let solution = |number: i32, name: &str| pb::Solution {
        solution_id: format!("S-{number}"),
        name: name.to_owned(),
        status: pb::SolutionStatus::Active.into(),
        category: "software product".to_owned(),
        ..Default::default()
    };
    let apply = |solutions: Vec<pb::Solution>| pb::ApplySolutionsRequest {
        account_id: ALDER.to_owned(),
        solutions,
        ..Default::default()
    };
    let counts = |answer: pb::ApplySolutionsResponse| (answer.created, answer.updated, answer.unchanged);
    for nobody in [service("review"), manager()] {
        refused(
            by(&app, &nobody)
                .catalog()
                .apply_solutions(apply(vec![solution(1, "One")]))
                .await,
            Code::PermissionDenied,
            "ROLE_NOT_PERMITTED",
        );
    }
    let keeper = by(&app, &service("provisioner"));
    let mut wrong = solution(2, "Two");
    wrong.category = "Nothing".to_owned();
    let refusal = refused(
        keeper
            .catalog()
            .apply_solutions(apply(vec![solution(1, "One"), wrong, solution(1, "Again")]))
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(
        refusal.paths(),
        ["solutions[1].category", "solutions[2].solution_id"]
    );
    let rehearsal = pb::ApplySolutionsRequest {
        validate_only: true,
        ..apply(vec![solution(1, "One")])
    };
    let answer = keeper
        .catalog()
        .apply_solutions(rehearsal)
        .await
        .expect("a rehearsal")
        .into_inner();
    assert_eq!(counts(answer), (1, 0, 0));
    assert!(
        listed(&app, &manager(), pb::ListSolutionsRequest::default())
            .await
            .is_empty()
    );
    let first = apply(vec![solution(1, "One"), solution(2, "Two")]);
    let answer = keeper
        .catalog()
        .apply_solutions(first)
        .await
        .expect("solutions")
        .into_inner();
    assert_eq!(counts(answer), (2, 0, 0));
    let second = apply(vec![
        solution(1, "One"),
        solution(2, "Zwei"),
        solution(3, "Three"),
    ]);
    let answer = keeper
        .catalog()
        .apply_solutions(second)
        .await
        .expect("solutions")
        .into_inner();
    assert_eq!(counts(answer), (1, 1, 1));
    app.finish::<Opportunities>().await;
}
