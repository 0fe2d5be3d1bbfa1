//! Bad input of every kind: one clear error with every violation, and nothing changed (PLT-007, PLT-010).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_proto::cosell::r#type::v1::TimestampRange;
use cosell_testkit::harness::{App, refused};
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::support::{
    by, count, create, create_request, date, get_request, next_steps, record, start, submit_request, user,
};

/// Bytes that claim to be a request.
#[derive(Clone, Default, PartialEq)]
struct Bytes(Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Sends any bytes as the request of an RPC.
async fn send(app: &App, rpc: &'static str, bytes: &[u8]) -> Result<Response<()>, Status> {
    let mut grpc = Grpc::new(app.by(&user()));
    grpc.ready()
        .await
        .map_err(|error| Status::unknown(error.to_string()))?;
    let path = PathAndQuery::from_static(rpc);
    grpc.unary(Request::new(Bytes(bytes.to_vec())), path, RawCodec)
        .await
}

#[derive(Default)]
struct RawCodec;

impl tonic::codec::Codec for RawCodec {
    type Encode = Bytes;
    type Decode = ();
    type Encoder = Self;
    type Decoder = <ProstCodec<(), ()> as tonic::codec::Codec>::Decoder;

    fn encoder(&mut self) -> Self::Encoder {
        Self
    }

    fn decoder(&mut self) -> Self::Decoder {
        tonic::codec::Codec::decoder(&mut ProstCodec::<(), ()>::default())
    }
}

impl tonic::codec::Encoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut tonic::codec::EncodeBuf<'_>) -> Result<(), Status> {
        use bytes::BufMut as _;
        buffer.put_slice(&item.0);
        Ok(())
    }
}

#[tokio::test]
async fn what_is_no_message_is_refused_as_such() {
    let app = start().await;
    const CREATE: &str = "/cosell.opportunity.v1.OpportunityService/CreateOpportunity";
    for (what, bytes) in [
        ("broken UTF-8 in request_id", &b"\x12\x02\xff\xfe"[..]),
        ("a field that is cut off", b"\x0a\x7f"),
        ("a group, which proto3 does not know", b"\x0b"),
        ("a varint where a message belongs", b"\x08\x01"),
    ] {
        let refusal = refused(
            send(&app, CREATE, bytes).await,
            Code::InvalidArgument,
            "MALFORMED_REQUEST",
        );
        assert_eq!(refusal.domain, "cosell", "{what}");
    }
    let absent = send(
        &app,
        "/cosell.opportunity.v1.OpportunityService/DeleteOpportunity",
        b"",
    )
    .await;
    refused(absent, Code::Unimplemented, "UNKNOWN_METHOD");
    let absent = send(
        &app,
        "/cosell.opportunity.v9.OpportunityService/GetOpportunity",
        b"",
    )
    .await;
    refused(absent, Code::Unimplemented, "UNKNOWN_METHOD");
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 0);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn plt_010_a_message_that_is_too_large_is_refused() {
    let app = start().await;
    let mut large = record("Alder");
    large.lead_source = "x".repeat(1024 * 1024);
    let refusal = refused(
        by(&app, &user())
            .opportunities()
            .create_opportunity(create_request(large))
            .await,
        Code::OutOfRange,
        "MESSAGE_TOO_LARGE",
    );
    assert!(refusal.message.contains("1 MiB"), "{refusal:?}");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn plt_007_shape_and_meaning_are_reported_together_with_paths_codes_and_allowed_values() {
    let app = start().await;
    let mut wrong = record("Alder");
    wrong.partner_opportunity_identifier = "x".repeat(65);
    wrong.opportunity_type = 99;
    wrong.primary_needs_from_aws = vec![0, 99];
    wrong.tags = vec![pb::Tag {
        key: String::new(),
        value: "<script>".to_owned(),
    }];
    let customer = wrong.customer.as_mut().expect("a customer");
    customer.contacts = vec![pb::Contact {
        email: "Jane.Alder.example".to_owned(),
        phone: "040".to_owned(),
        ..Default::default()
    }];
    let account = customer.account.as_mut().expect("an account");
    account.company_name.clear();
    account.industry = "Alchemy".to_owned();
    account.website_url = "no website".to_owned();
    account.aws_account_id = "12".to_owned();
    let project = wrong.project.as_mut().expect("a project");
    project.customer_business_problem = "Too short".to_owned();
    project.expected_contract_duration = Some(pb::ExpectedContractDuration { months: 145 });
    project.expected_customer_spend[0]
        .amount
        .as_mut()
        .expect("an amount")
        .nanos = 1;
    project.delivery_models = vec![1, 1];
    wrong.life_cycle.as_mut().expect("a life cycle").target_close_date = date(2026, 2, 30);

    let result = by(&app, &user())
        .opportunities()
        .create_opportunity(create_request(wrong))
        .await;
    let refusal = refused(result, Code::InvalidArgument, "INVALID_FIELDS");
    let found: Vec<_> = refusal
        .fields
        .iter()
        .map(|(path, code, _)| (path.as_str(), code.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("opportunity.partner_opportunity_identifier", "VALUE_OUT_OF_RANGE"),
            ("opportunity.opportunity_type", "INVALID_ENUM_VALUE"),
            ("opportunity.primary_needs_from_aws[0]", "REQUIRED_FIELD_MISSING"),
            ("opportunity.primary_needs_from_aws[1]", "INVALID_ENUM_VALUE"),
            (
                "opportunity.customer.account.website_url",
                "INVALID_STRING_FORMAT"
            ),
            (
                "opportunity.customer.account.aws_account_id",
                "INVALID_STRING_FORMAT"
            ),
            ("opportunity.customer.contacts[0].email", "INVALID_STRING_FORMAT"),
            ("opportunity.customer.contacts[0].phone", "INVALID_STRING_FORMAT"),
            (
                "opportunity.project.customer_business_problem",
                "VALUE_OUT_OF_RANGE"
            ),
            ("opportunity.project.delivery_models", "INVALID_VALUE"),
            (
                "opportunity.project.expected_contract_duration.months",
                "VALUE_OUT_OF_RANGE"
            ),
            ("opportunity.tags[0].key", "REQUIRED_FIELD_MISSING"),
            ("opportunity.tags[0].value", "INVALID_STRING_FORMAT"),
            (
                "opportunity.project.expected_customer_spend[0].amount",
                "INVALID_VALUE"
            ),
            ("opportunity.life_cycle.target_close_date", "INVALID_VALUE"),
            (
                "opportunity.customer.account.company_name",
                "REQUIRED_FIELD_MISSING"
            ),
            ("opportunity.customer.account.industry", "INVALID_ENUM_VALUE"),
            ("opportunity.project.expected_customer_spend", "INVALID_VALUE"),
        ]
    );
    assert_eq!(refusal.metadata["violations"], "18");
    let detail = |path: &str| {
        let found = refusal.details.iter().find(|detail| detail.field == path);
        found.expect("a detail").clone()
    };
    let industry = detail("opportunity.customer.account.industry");
    assert_eq!(industry.partner_central_field, "Customer.Account.Industry");
    assert_eq!(industry.rejected_value, "Alchemy");
    assert_eq!(industry.standard_values, "industry");
    let kind = detail("opportunity.opportunity_type");
    assert!(
        kind.allowed_values
            .contains(&"OPPORTUNITY_TYPE_EXPANSION".to_owned()),
        "{kind:?}"
    );
    let account = detail("opportunity.customer.account.aws_account_id");
    assert_eq!(account.pattern, "^[0-9]{12}$");
    // What was rejected may be personal: it is not repeated.
    assert_eq!(account.rejected_value, "");
    let whole = format!("{refusal:?}");
    assert!(
        !whole.contains("Jane.Alder.example") && !whole.contains("no website"),
        "{whole}"
    );
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 0);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_011_a_single_mistake_is_answered_with_all_values_that_are_allowed() {
    let app = start().await;
    let mut wrong = record("Alder");
    let customer = wrong.customer.as_mut().expect("a customer");
    customer.account.as_mut().expect("an account").industry = "Alchemy".to_owned();
    let result = by(&app, &user())
        .opportunities()
        .create_opportunity(create_request(wrong))
        .await;
    let refusal = refused(result, Code::InvalidArgument, "INVALID_FIELDS");
    let allowed = &refusal.details[0].allowed_values;
    assert_eq!(allowed.len(), 28, "{allowed:?}");
    assert!(
        allowed.contains(&"Wholesale and Distribution".to_owned()),
        "{allowed:?}"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn plt_007_a_flood_of_mistakes_is_answered_in_bounds() {
    let app = start().await;
    let mut wrong = record("Alder");
    wrong.tags = vec![
        pb::Tag {
            key: "<".to_owned(),
            value: "<".to_owned()
        };
        200
    ];
    let refusal = refused(
        by(&app, &user())
            .opportunities()
            .create_opportunity(create_request(wrong))
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.metadata["violations"], "400");
    let listed = refusal.fields.len();
    assert!((15..=50).contains(&listed), "{listed} are listed");
    let last = &refusal.fields[listed - 1].2;
    assert!(last.contains(&format!("{} more", 400 - listed)), "{last}");
    assert_eq!(refusal.details.len(), listed, "the same for programs");
    let mut many = record("Alder");
    many.tags = vec![
        pb::Tag {
            key: "a".to_owned(),
            value: String::new()
        };
        201
    ];
    let refusal = refused(
        by(&app, &user())
            .opportunities()
            .create_opportunity(create_request(many))
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.fields[0].1, "TOO_MANY_VALUES");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn requests_themselves_are_checked() {
    let app = start().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    let client = by(&app, &user());
    let wrong = |result: Result<_, _>, fields: &[&str]| {
        assert_eq!(
            refused(result, Code::InvalidArgument, "INVALID_FIELDS").paths(),
            fields
        );
    };
    wrong(
        client
            .opportunities()
            .get_opportunity(get_request(""))
            .await
            .map(|r| r.map(drop)),
        &["opportunity_id"],
    );
    wrong(
        client
            .opportunities()
            .get_opportunity(get_request("o7"))
            .await
            .map(|r| r.map(drop)),
        &["opportunity_id"],
    );
    let zero = pb::GetOpportunityRequest {
        as_of: Some(AsOf::Revision(0)),
        ..get_request(&id)
    };
    wrong(
        client
            .opportunities()
            .get_opportunity(zero)
            .await
            .map(|r| r.map(drop)),
        &["revision"],
    );
    let nothing = pb::CreateOpportunityRequest::default();
    wrong(
        client
            .opportunities()
            .create_opportunity(nothing)
            .await
            .map(|r| r.map(drop)),
        &["opportunity"],
    );
    let mut unrelated = record("Alder");
    unrelated
        .project
        .as_mut()
        .expect("a project")
        .related_opportunity_id = "O9999999999999999999".to_owned();
    wrong(
        client
            .opportunities()
            .create_opportunity(create_request(unrelated))
            .await
            .map(|r| r.map(drop)),
        &["opportunity.project.related_opportunity_id"],
    );
    let mut unstorable = record("Alder");
    unstorable.project.as_mut().expect("a project").title = "Nothing\0here".to_owned();
    wrong(
        client
            .opportunities()
            .create_opportunity(create_request(unstorable))
            .await
            .map(|r| r.map(drop)),
        &["opportunity.project.title"],
    );
    let unstorable = pb::ListOpportunitiesRequest {
        filter: Some(pb::OpportunityFilter {
            customer_company_names: vec!["\0".to_owned()],
            ..Default::default()
        }),
        ..Default::default()
    };
    wrong(
        client
            .opportunities()
            .list_opportunities(unstorable)
            .await
            .map(|r| r.map(drop)),
        &["filter.customer_company_names[0]"],
    );
    let before_time = pb::ListOpportunitiesRequest {
        filter: Some(pb::OpportunityFilter {
            create_time: Some(TimestampRange {
                start: Some(prost_types::Timestamp {
                    seconds: -300_000_000_000,
                    nanos: 0,
                }),
                end: None,
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    wrong(
        client
            .opportunities()
            .list_opportunities(before_time)
            .await
            .map(|r| r.map(drop)),
        &["filter.create_time.start"],
    );
    let not_a_uuid = pb::UpdateOpportunityRequest {
        request_id: "7".to_owned(),
        etag: "x".repeat(65),
        ..next_steps(&id, "a step")
    };
    wrong(
        client
            .opportunities()
            .update_opportunity(not_a_uuid)
            .await
            .map(|r| r.map(drop)),
        &["etag", "request_id"],
    );
    let neither = pb::SubmitOpportunityRequest {
        involvement_type: 0,
        visibility: 9,
        ..submit_request(&id)
    };
    wrong(
        client
            .lifecycle()
            .submit_opportunity(neither)
            .await
            .map(|r| r.map(drop)),
        &["involvement_type", "visibility"],
    );
    let list = pb::ListOpportunitiesRequest {
        page_size: -1,
        sort_key: 9,
        filter: Some(pb::OpportunityFilter {
            stages: vec![0],
            opportunity_ids: vec![id.clone(); 21],
            create_time: Some(TimestampRange::default()),
            ..Default::default()
        }),
        ..Default::default()
    };
    let fields = [
        "page_size",
        "filter.opportunity_ids",
        "filter.stages[0]",
        "sort_key",
    ];
    wrong(
        client
            .opportunities()
            .list_opportunities(list)
            .await
            .map(|r| r.map(drop)),
        &fields,
    );
    app.finish::<Opportunities>().await;
}
