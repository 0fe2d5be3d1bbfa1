//! Invalid input: malformed messages, oversized messages, and requests with invalid fields. Each is refused with one
//! error that lists all violations, and changes nothing (PLT-007, PLT-010, OPP-011).

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
    client_for, count, create, create_request, date, get_request, next_steps_request, record, start,
    submit_request, user,
};

/// Raw bytes of a request.
#[derive(Clone, Default, PartialEq)]
struct Bytes(Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Sends raw bytes as the request of an RPC.
async fn send_raw(app: &App, rpc: &'static str, bytes: &[u8]) -> Result<Response<()>, Status> {
    let mut grpc = Grpc::new(app.channel_for(&user()));
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
async fn malformed_message_or_unknown_method_is_refused() {
    let app = start().await;
    const CREATE: &str = "/cosell.opportunity.v1.OpportunityService/CreateOpportunity";
    for (case, bytes) in [
        ("invalid UTF-8 in request_id", &b"\x12\x02\xff\xfe"[..]),
        ("a truncated field", b"\x0a\x7f"),
        ("a group, which proto3 does not support", b"\x0b"),
        ("a varint instead of a message", b"\x08\x01"),
    ] {
        let refusal = refused(
            send_raw(&app, CREATE, bytes).await,
            Code::InvalidArgument,
            "MALFORMED_REQUEST",
        );
        assert_eq!(refusal.domain, "cosell", "{case}");
    }
    let unknown = send_raw(
        &app,
        "/cosell.opportunity.v1.OpportunityService/DeleteOpportunity",
        b"",
    )
    .await;
    refused(unknown, Code::Unimplemented, "UNKNOWN_METHOD");
    let unknown = send_raw(
        &app,
        "/cosell.opportunity.v9.OpportunityService/GetOpportunity",
        b"",
    )
    .await;
    refused(unknown, Code::Unimplemented, "UNKNOWN_METHOD");
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 0);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn plt_010_message_above_size_limit_is_refused() {
    let app = start().await;
    let mut large = record("Alder");
    large.lead_source = "x".repeat(1024 * 1024);
    let refusal = refused(
        client_for(&app, &user())
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
async fn plt_007_format_and_rule_violations_are_reported_together_with_details() {
    let app = start().await;
    let mut invalid = record("Alder");
    invalid.partner_opportunity_identifier = "x".repeat(65);
    invalid.opportunity_type = 99;
    invalid.primary_needs_from_aws = vec![0, 99];
    invalid.tags = vec![pb::Tag {
        key: String::new(),
        value: "<script>".to_owned(),
    }];
    let customer = invalid.customer.as_mut().expect("a customer");
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
    let project = invalid.project.as_mut().expect("a project");
    project.customer_business_problem = "Too short".to_owned();
    project.expected_contract_duration = Some(pb::ExpectedContractDuration { months: 145 });
    project.expected_customer_spend[0]
        .amount
        .as_mut()
        .expect("an amount")
        .nanos = 1;
    project.delivery_models = vec![1, 1];
    invalid
        .life_cycle
        .as_mut()
        .expect("a life cycle")
        .target_close_date = date(2026, 2, 30);

    let result = client_for(&app, &user())
        .opportunities()
        .create_opportunity(create_request(invalid))
        .await;
    let refusal = refused(result, Code::InvalidArgument, "INVALID_FIELDS");
    let violations: Vec<_> = refusal
        .fields
        .iter()
        .map(|(path, code, _)| (path.as_str(), code.as_str()))
        .collect();
    assert_eq!(
        violations,
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
        let detail = refusal.details.iter().find(|detail| detail.field == path);
        detail.expect("a detail").clone()
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
    // A rejected value may be personal data, so the error does not repeat it.
    assert_eq!(account.rejected_value, "");
    let text = format!("{refusal:?}");
    assert!(
        !text.contains("Jane.Alder.example") && !text.contains("no website"),
        "{text}"
    );
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 0);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_011_single_violation_lists_all_allowed_values() {
    let app = start().await;
    let mut invalid = record("Alder");
    let customer = invalid.customer.as_mut().expect("a customer");
    customer.account.as_mut().expect("an account").industry = "Alchemy".to_owned();
    let result = client_for(&app, &user())
        .opportunities()
        .create_opportunity(create_request(invalid))
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
async fn plt_007_number_of_listed_violations_is_bounded() {
    let app = start().await;
    let mut invalid = record("Alder");
    invalid.tags = vec![
        pb::Tag {
            key: "<".to_owned(),
            value: "<".to_owned()
        };
        200
    ];
    let refusal = refused(
        client_for(&app, &user())
            .opportunities()
            .create_opportunity(create_request(invalid))
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.metadata["violations"], "400");
    let listed = refusal.fields.len();
    assert!((15..=50).contains(&listed), "{listed} violations are listed");
    let last = &refusal.fields[listed - 1].2;
    assert!(last.contains(&format!("{} more", 400 - listed)), "{last}");
    assert_eq!(
        refusal.details.len(),
        listed,
        "the error details list the same violations"
    );
    let mut many = record("Alder");
    many.tags = vec![
        pb::Tag {
            key: "a".to_owned(),
            value: String::new()
        };
        201
    ];
    let refusal = refused(
        client_for(&app, &user())
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
async fn request_fields_with_invalid_values_are_refused() {
    let app = start().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    let client = client_for(&app, &user());
    let assert_invalid = |result: Result<_, _>, fields: &[&str]| {
        assert_eq!(
            refused(result, Code::InvalidArgument, "INVALID_FIELDS").paths(),
            fields
        );
    };
    assert_invalid(
        client
            .opportunities()
            .get_opportunity(get_request(""))
            .await
            .map(|r| r.map(drop)),
        &["opportunity_id"],
    );
    assert_invalid(
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
    assert_invalid(
        client
            .opportunities()
            .get_opportunity(zero)
            .await
            .map(|r| r.map(drop)),
        &["revision"],
    );
    let empty = pb::CreateOpportunityRequest::default();
    assert_invalid(
        client
            .opportunities()
            .create_opportunity(empty)
            .await
            .map(|r| r.map(drop)),
        &["opportunity"],
    );
    let mut out_of_range_id = record("Alder");
    out_of_range_id
        .project
        .as_mut()
        .expect("a project")
        .related_opportunity_id = "O9999999999999999999".to_owned();
    assert_invalid(
        client
            .opportunities()
            .create_opportunity(create_request(out_of_range_id))
            .await
            .map(|r| r.map(drop)),
        &["opportunity.project.related_opportunity_id"],
    );
    let mut with_nul = record("Alder");
    with_nul.project.as_mut().expect("a project").title = "With\0nul".to_owned();
    assert_invalid(
        client
            .opportunities()
            .create_opportunity(create_request(with_nul))
            .await
            .map(|r| r.map(drop)),
        &["opportunity.project.title"],
    );
    let mut with_nul = record("Alder");
    with_nul.related_entity_identifiers = Some(pb::RelatedEntityIdentifiers {
        solutions: vec!["\0".to_owned()],
        aws_products: vec!["\0".to_owned()],
        ..Default::default()
    });
    assert_invalid(
        client
            .opportunities()
            .create_opportunity(create_request(with_nul))
            .await
            .map(|r| r.map(drop)),
        &[
            "opportunity.related_entity_identifiers.solutions[0]",
            "opportunity.related_entity_identifiers.aws_products[0]",
        ],
    );
    let with_nul = pb::ListOpportunitiesRequest {
        filter: Some(pb::OpportunityFilter {
            customer_company_names: vec!["\0".to_owned()],
            ..Default::default()
        }),
        ..Default::default()
    };
    assert_invalid(
        client
            .opportunities()
            .list_opportunities(with_nul)
            .await
            .map(|r| r.map(drop)),
        &["filter.customer_company_names[0]"],
    );
    let out_of_range_time = pb::ListOpportunitiesRequest {
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
    assert_invalid(
        client
            .opportunities()
            .list_opportunities(out_of_range_time)
            .await
            .map(|r| r.map(drop)),
        &["filter.create_time.start"],
    );
    let not_a_uuid = pb::UpdateOpportunityRequest {
        request_id: "7".to_owned(),
        etag: "x".repeat(65),
        ..next_steps_request(&id, "a step")
    };
    assert_invalid(
        client
            .opportunities()
            .update_opportunity(not_a_uuid)
            .await
            .map(|r| r.map(drop)),
        &["etag", "request_id"],
    );
    let without_involvement = pb::SubmitOpportunityRequest {
        involvement_type: 0,
        visibility: 9,
        ..submit_request(&id)
    };
    assert_invalid(
        client
            .lifecycle()
            .submit_opportunity(without_involvement)
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
    assert_invalid(
        client
            .opportunities()
            .list_opportunities(list)
            .await
            .map(|r| r.map(drop)),
        &fields,
    );
    app.finish::<Opportunities>().await;
}
