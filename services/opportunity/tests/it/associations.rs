//! Associating solutions, products and offers, and the catalog RPCs that list and apply solutions and products (OPP-045
//! to OPP-048).

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
    ALDER, BIRCH, apply_catalog, client_for, create, get, manager, record, request_id, start,
    unrelated_member, user,
};

fn associate_request(id: &str, kind: pb::RelatedEntityType, identifier: &str) -> pb::AssociateEntityRequest {
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
async fn opp_045_046_entities_are_associated_and_disassociated_individually() {
    let app = start().await;
    apply_catalog(&app).await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    let add = pb::AssociateEntityRequest {
        request_id: request_id(),
        ..associate_request(&id, pb::RelatedEntityType::Solutions, "S-1")
    };
    for _ in 0..2 {
        let answer = client_for(&app, &user())
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
    client_for(&app, &user())
        .opportunities()
        .associate_entity(associate_request(
            &id,
            pb::RelatedEntityType::AwsProducts,
            "AmazonEC2",
        ))
        .await
        .expect("a product");
    assert_eq!(get(&app, &user(), &id).await.revision, 3);
    for (kind, identifier) in [
        (pb::RelatedEntityType::Solutions, "S-13"),
        (pb::RelatedEntityType::Solutions, "soln-1"),
        (pb::RelatedEntityType::AwsProducts, "AmazonUnknown"),
    ] {
        let refusal = refused(
            client_for(&app, &user())
                .opportunities()
                .associate_entity(associate_request(&id, kind, identifier))
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
        client_for(&app, &unrelated_member())
            .opportunities()
            .disassociate_entity(remove.clone())
            .await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    client_for(&app, &user())
        .opportunities()
        .disassociate_entity(remove)
        .await
        .expect("a disassociation");
    let related = get(&app, &user(), &id)
        .await
        .related_entity_identifiers
        .expect("entities");
    assert!(related.solutions.is_empty());
    assert_eq!(related.aws_products, ["AmazonEC2"]);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_047_offer_can_be_associated_with_only_one_opportunity() {
    let app = start().await;
    let first = create(&app, &user(), record("Alder")).await.opportunity_id;
    let second = create(&app, &user(), record("Birch")).await.opportunity_id;
    let kind = pb::RelatedEntityType::AwsMarketplaceOffers;
    client_for(&app, &user())
        .opportunities()
        .associate_entity(associate_request(&first, kind, &offer(1)))
        .await
        .expect("an offer");
    let refusal = refused(
        client_for(&app, &user())
            .opportunities()
            .associate_entity(associate_request(&second, kind, &offer(1)))
            .await,
        Code::AlreadyExists,
        "MARKETPLACE_OFFER_TAKEN",
    );
    assert_eq!(refusal.paths(), ["entity_identifier"]);
    let remove = pb::DisassociateEntityRequest {
        opportunity_id: first,
        entity_type: kind.into(),
        entity_identifier: offer(1),
        ..Default::default()
    };
    client_for(&app, &user())
        .opportunities()
        .disassociate_entity(remove)
        .await
        .expect("a disassociation");
    client_for(&app, &user())
        .opportunities()
        .associate_entity(associate_request(&second, kind, &offer(1)))
        .await
        .expect("an association with the released offer");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_048_subsidiary_entities_require_active_connection() {
    let (app, peer) = start_with_review().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    let subsidiary_arn = |name: &str| {
        format!("arn:aws:aws-marketplace:us-east-1:{BIRCH}:AWSMarketplace/SaaSProduct/prod-{name}")
    };
    let kind = pb::RelatedEntityType::AwsMarketplaceProducts;
    let missing_connection = "MISSING_ACTIVE_SUBSIDIARY_CONNECTION";
    refused(
        client_for(&app, &user())
            .opportunities()
            .associate_entity(associate_request(&id, kind, &subsidiary_arn("a")))
            .await,
        Code::FailedPrecondition,
        missing_connection,
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
    peer.publish_event("partner", ALDER, connection, 1, &event).await;
    eventually(async || {
        client_for(&app, &user())
            .opportunities()
            .associate_entity(associate_request(&id, kind, &subsidiary_arn("a")))
            .await
    })
    .await;
    let event = ConnectionCanceled {
        detail: detail(2, ConnectionStatus::Canceled),
        canceled_by_account_id: BIRCH.to_owned(),
    };
    peer.publish_event("partner", ALDER, connection, 2, &event).await;
    eventually(async || {
        let request = pb::AssociateEntityRequest {
            validate_only: true,
            ..associate_request(&id, kind, &subsidiary_arn("b"))
        };
        match client_for(&app, &user())
            .opportunities()
            .associate_entity(request)
            .await
        {
            Ok(_) => Err("the connection is still active"),
            Err(_) => Ok(()),
        }
    })
    .await;
    refused(
        client_for(&app, &user())
            .opportunities()
            .associate_entity(associate_request(&id, kind, &subsidiary_arn("b")))
            .await,
        Code::FailedPrecondition,
        missing_connection,
    );
    app.finish::<Opportunities>().await;
}

async fn list_solution_ids(app: &App, caller: &Caller, mut request: pb::ListSolutionsRequest) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..20 {
        let page = client_for(app, caller)
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
    panic!("the list has more than 20 pages: {ids:?}")
}

#[tokio::test]
async fn opp_046_solutions_are_listed_in_each_sort_order_and_filter() {
    let app = start().await;
    apply_catalog(&app).await;
    let base = || pb::ListSolutionsRequest {
        page_size: 5,
        ..Default::default()
    };
    let by_id: Vec<_> = (1..=14).map(|number| format!("S-{number}")).collect();
    let reversed: Vec<_> = by_id.iter().rev().cloned().collect();
    assert_eq!(list_solution_ids(&app, &manager(), base()).await, by_id);
    assert!(
        list_solution_ids(&app, &unrelated_member(), base())
            .await
            .is_empty()
    );
    for (key, order, expected) in [
        (pb::SolutionSortKey::SolutionId, SortOrder::Descending, &reversed),
        (pb::SolutionSortKey::Name, SortOrder::Ascending, &reversed),
        (pb::SolutionSortKey::Name, SortOrder::Descending, &by_id),
        (pb::SolutionSortKey::Category, SortOrder::Ascending, &by_id),
        (pb::SolutionSortKey::CreateTime, SortOrder::Descending, &reversed),
    ] {
        let request = pb::ListSolutionsRequest {
            sort_key: key.into(),
            sort_order: order.into(),
            ..base()
        };
        assert_eq!(
            list_solution_ids(&app, &manager(), request).await,
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
    assert_eq!(
        list_solution_ids(&app, &manager(), by_status).await,
        ["S-14", "S-13"]
    );
    let by_ids = pb::ListSolutionsRequest {
        solution_ids: vec!["S-3".to_owned(), "S-99".to_owned()],
        categories: vec!["managed service".to_owned()],
        ..base()
    };
    assert_eq!(list_solution_ids(&app, &manager(), by_ids).await, ["S-3"]);
    let by_marketplace_arn = pb::ListSolutionsRequest {
        aws_marketplace_solutions: vec!["arn:aws:aws-marketplace:1".to_owned()],
        ..base()
    };
    assert!(
        list_solution_ids(&app, &manager(), by_marketplace_arn)
            .await
            .is_empty()
    );

    let products = pb::ListProductsRequest {
        search: "compute".to_owned(),
        page_size: 1,
        ..Default::default()
    };
    let page = client_for(&app, &manager())
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
    let page = client_for(&app, &manager())
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
async fn opp_046_solution_list_is_applied_atomically_by_configured_service_only() {
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
    for caller in [service("review"), manager()] {
        refused(
            client_for(&app, &caller)
                .catalog()
                .apply_solutions(apply(vec![solution(1, "One")]))
                .await,
            Code::PermissionDenied,
            "ROLE_NOT_PERMITTED",
        );
    }
    let provisioner = client_for(&app, &service("provisioner"));
    let mut invalid = solution(2, "Two");
    invalid.category = "Unknown category".to_owned();
    let refusal = refused(
        provisioner
            .catalog()
            .apply_solutions(apply(vec![solution(1, "One"), invalid, solution(1, "Again")]))
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(
        refusal.paths(),
        ["solutions[1].category", "solutions[2].solution_id"]
    );
    let dry_run = pb::ApplySolutionsRequest {
        validate_only: true,
        ..apply(vec![solution(1, "One")])
    };
    let answer = provisioner
        .catalog()
        .apply_solutions(dry_run)
        .await
        .expect("a dry run")
        .into_inner();
    assert_eq!(counts(answer), (1, 0, 0));
    assert!(
        list_solution_ids(&app, &manager(), pb::ListSolutionsRequest::default())
            .await
            .is_empty()
    );
    let first = apply(vec![solution(1, "One"), solution(2, "Two")]);
    let answer = provisioner
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
    let answer = provisioner
        .catalog()
        .apply_solutions(second)
        .await
        .expect("solutions")
        .into_inner();
    assert_eq!(counts(answer), (1, 1, 1));
    app.finish::<Opportunities>().await;
}
