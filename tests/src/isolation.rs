//! Checks that callers without a relation to an account neither read nor change any of its records.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use cosell_proto::cosell::referral::v1::BatchAcceptReferralOffersResponse;
use cosell_proto::cosell::referral::v1::accept_referral_offer_result::Result as Outcome;
use cosell_testkit::harness::{Client, Refusal, member, service};
use cosell_types::{Caller, Role, Side};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage as _, Value};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use tonic::{Code, Status};

use crate::repository;
use crate::requests::{Records, build_request, forged_identity, rpcs};
use crate::scenario::{
    CANARY, ELM, EMAIL_DOMAIN, FIR, SUBMITTED_CANARY, Scenario, opportunity_without_contacts,
};

/// Responses by RPC and caller: the bytes of the response, or the reason and message of the error.
pub type Responses = BTreeMap<(String, String), String>;

impl Scenario<'_> {
    /// Calls every read RPC whose request names no record, as each of the callers.
    pub async fn read_responses(&self, callers: &[Caller]) -> Responses {
        let (nonexistent, mut responses) = (Records::nonexistent(), Responses::new());
        for rpc in rpcs().iter().filter(|rpc| is_read(rpc)) {
            // Without an account id, the request is about the caller's own account.
            let mut message = build_request(rpc, &nonexistent, &opportunity_without_contacts());
            if message.descriptor().get_field_by_name("account_id").is_some() {
                message.clear_field_by_name("account_id");
            }
            if names_any(&message, &nonexistent) {
                continue;
            }
            for caller in callers {
                let client = Client::new(&self.issuer, Some(caller));
                let response = self.send(&client, rpc, message.clone()).await;
                responses.insert((rpc.name().to_owned(), caller.actor()), response.text);
            }
        }
        responses
    }

    /// Calls every RPC about these records as every unrelated caller, and fails if a response discloses anything of the
    /// account or a row of it changes. Callers also forge each identity of `forged_callers`.
    pub async fn assert_isolated(&self, records: &Records, forged_callers: &[Caller]) {
        let accounts = [records.account.as_str(), FIR];
        let before = self.fingerprints(&accounts).await;
        let leaks = self
            .find_leaks(&rpcs(), records, &unrelated_callers(), forged_callers)
            .await;
        assert!(leaks.is_empty(), "{leaks:#?}");
        self.servers.wait_until_idle().await;
        let after = self.fingerprints(&accounts).await;
        let changed: Vec<_> = before
            .iter()
            .filter(|(table, fingerprint)| after.get(*table) != Some(fingerprint))
            .collect();
        assert!(
            changed.is_empty(),
            "rows of these tables have changed: {changed:?}"
        );
    }

    /// Calls these RPCs about these records as unrelated callers and returns what the responses disclose, one line a
    /// finding that begins with `<rpc> by <caller>: `.
    pub async fn find_leaks(
        &self,
        rpcs: &[MethodDescriptor],
        records: &Records,
        callers: &[Caller],
        forged_callers: &[Caller],
    ) -> Vec<String> {
        let mut leaks = Vec::new();
        for caller in callers {
            let unrelated = UnrelatedCaller::new(caller, records);
            let client = Client::new(&self.issuer, Some(caller));
            for rpc in rpcs {
                let mut found = self.check_responses(&client, rpc, &unrelated, false).await;
                for forged in forged_callers {
                    let forging = client.clone().impersonating(&forged_identity(forged));
                    found.extend(self.check_responses(&forging, rpc, &unrelated, true).await);
                    found.extend(
                        self.compare_with_empty_account(&client, rpc, &unrelated, forged)
                            .await,
                    );
                }
                let describe = |leak| format!("{} by {}: {leak}", rpc.name(), caller.actor());
                leaks.extend(found.into_iter().map(describe));
            }
        }
        leaks
    }

    /// Sends all variants of an RPC's request and returns what the responses disclose.
    async fn check_responses(
        &self,
        client: &Client,
        rpc: &MethodDescriptor,
        unrelated: &UnrelatedCaller<'_>,
        is_forged: bool,
    ) -> Vec<String> {
        let mut found = Vec::new();
        if unrelated.has_access(rpc) && !is_forged {
            return found;
        }
        for message in unrelated.request_variants(rpc, is_forged) {
            let names_record = names_any(&message, &unrelated.records(is_forged));
            let response = self.send(client, rpc, message).await;
            if let Some(text) = unrelated.find_disclosure(&response, is_forged) {
                found.push(format!("the response contains {text}"));
            }
            match response.reason {
                None if names_record => found.push("the call succeeds".to_owned()),
                Some(reason) if names_record && !is_forged && !hides_existence(&reason) => {
                    found.push(format!("the call is refused with {reason}"));
                }
                _ => {}
            }
        }
        found
    }

    /// A request that names no record may disclose a number. Forges a member of the account and one of a nonexistent
    /// account, and returns a finding if the two responses differ.
    async fn compare_with_empty_account(
        &self,
        client: &Client,
        rpc: &MethodDescriptor,
        unrelated: &UnrelatedCaller<'_>,
        forged: &Caller,
    ) -> Option<String> {
        let Caller::Member(forged_member) = forged else {
            panic!("a member")
        };
        let nonexistent = Records::nonexistent();
        let message = build_request(rpc, &unrelated.records(true), &opportunity_without_contacts());
        let names_no_record = is_read(rpc) && !names_any(&message, &unrelated.records(true));
        if !names_no_record || unrelated.may_read(rpc, forged_member.account.as_str()) {
            return None;
        }
        let nonmember = member(
            forged_member.id.as_str(),
            &nonexistent.account,
            forged_member.side,
            &forged_member.roles,
        );
        let mut texts = Vec::new();
        for (caller, records) in [(forged, &unrelated.records(true)), (&nonmember, &nonexistent)] {
            let forging = client.clone().impersonating(&forged_identity(caller));
            let message = build_request(rpc, records, &opportunity_without_contacts());
            let response = self.send(&forging, rpc, message).await;
            let text = response
                .text
                .replace(forged_member.account.as_str(), &nonexistent.account);
            texts.push(text.replace(&records.account, &nonexistent.account));
        }
        (texts[0] != texts[1])
            .then(|| format!("the response depends on {}: {texts:?}", forged_member.account))
    }

    async fn send(&self, client: &Client, rpc: &MethodDescriptor, message: DynamicMessage) -> Response {
        let result = self.call(client.clone(), rpc, message).await;
        match result.and_then(|bytes| error_if_all_failed(rpc, bytes)) {
            Ok(bytes) => Response {
                text: String::from_utf8_lossy(&bytes).into_owned(),
                raw: String::new(),
                reason: None,
            },
            Err(status) => {
                let Refusal {
                    reason,
                    message,
                    metadata,
                    fields,
                    ..
                } = Refusal::from(&status);
                // Sorted, so that two responses can be compared.
                let metadata: BTreeMap<_, _> = metadata.into_iter().collect();
                Response {
                    text: format!("{reason}: {message} {metadata:?} {fields:?}"),
                    raw: String::from_utf8_lossy(status.details()).into_owned(),
                    reason: Some(reason),
                }
            }
        }
    }

    /// A hash of all rows of the accounts for each table with rows of accounts.
    async fn fingerprints(&self, accounts: &[&str]) -> BTreeMap<String, String> {
        let mut admin = self.servers.admin().await;
        let mut fingerprints = BTreeMap::new();
        for table in account_tables(&mut admin).await {
            let sql = format!(
                "SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t
                 WHERE account_id = ANY ('{{{}}}')",
                accounts.join(",")
            );
            let row = admin.fetch_one(AssertSqlSafe(sql)).await.expect("a hash");
            fingerprints.insert(table, row.get(0));
        }
        fingerprints
    }
}

struct Response {
    /// The response's bytes, or the reason, message and details of an error.
    text: String,
    /// The details of an error as they are on the wire.
    raw: String,
    /// The reason of an error.
    reason: Option<String>,
}

/// A caller outside the account, with the records of the account.
struct UnrelatedCaller<'a> {
    caller: &'a Caller,
    all: &'a Records,
}

impl<'a> UnrelatedCaller<'a> {
    fn new(caller: &'a Caller, all: &'a Records) -> Self {
        Self { caller, all }
    }

    fn side(&self) -> Option<Side> {
        match self.caller {
            Caller::Member(member) => Some(member.side),
            Caller::Service(_) => None,
        }
    }

    fn account(&self) -> &str {
        self.caller.account().map_or("", |account| account.as_str())
    }

    /// The records that the caller has no access to; ids of all others are replaced by nonexistent ones. AWS reads
    /// accounts and submitted opportunities. Services read submitted opportunities, and members and invitations unless
    /// they forge an identity.
    fn records(&self, is_forged: bool) -> Records {
        let (mut records, nonexistent) = (self.all.clone(), Records::nonexistent());
        match self.side() {
            Some(Side::Partner) => return records,
            Some(Side::Aws) => records.account = nonexistent.account,
            None if is_forged => {}
            None => {
                records.member = nonexistent.member;
                records.invitation = nonexistent.invitation;
            }
        }
        records.review_case = nonexistent.review_case;
        if self.side() == Some(Side::Aws) {
            // AWS made the offer and knows its receiver.
            records.offer = nonexistent.offer;
        }
        records.referral = nonexistent.referral;
        if self.side() == Some(Side::Aws) {
            // AWS sees engagements, their invitations and channels.
            records.engagement = nonexistent.engagement;
            records.engagement_invitation = nonexistent.engagement_invitation;
            records.channel = nonexistent.channel;
        }
        records.submitted = nonexistent.submitted;
        records.approved = nonexistent.approved;
        records
    }

    /// Variants of an RPC's request: about the draft, the submitted and the approved opportunity, with and without a
    /// request id, at the current and the first revision.
    fn request_variants(&self, rpc: &MethodDescriptor, is_forged: bool) -> Vec<DynamicMessage> {
        let records = self.records(is_forged);
        let content = opportunity_without_contacts();
        let mut variants = vec![build_request(rpc, &records, &content)];
        if rpc.input().get_field_by_name("opportunity_id").is_some() {
            for opportunity in [&records.submitted, &records.approved] {
                let another = Records {
                    opportunity: opportunity.clone(),
                    ..records.clone()
                };
                variants.push(build_request(rpc, &another, &content));
            }
        }
        if rpc.input().get_field_by_name("request_id").is_some() {
            let mut without = variants.clone();
            for message in &mut without {
                message.clear_field_by_name("request_id");
            }
            variants.extend(without);
        }
        if rpc.name() == "GetOpportunity" {
            let mut first = variants.clone();
            for message in &mut first {
                message.set_field_by_name("revision", Value::I64(1));
            }
            variants.extend(first);
        }
        variants
    }

    /// Whether the RPC gives services access to all accounts: provisioning, and the names of accounts.
    fn has_access(&self, rpc: &MethodDescriptor) -> bool {
        self.side().is_none() && ["ApplyDirectory", "GetAccount"].contains(&rpc.name())
    }

    /// Whether row-level security lets the caller read rows of an account for a request that names no record.
    fn may_read(&self, rpc: &MethodDescriptor, account: &str) -> bool {
        // Row-level security does not distinguish members of one account.
        if self.account() == account {
            return true;
        }
        let shown: &[&str] = match self.side() {
            Some(Side::Partner) => &[],
            Some(Side::Aws) => &[
                "ListOpportunities",
                "ListReviewCases",
                "ListReferralOffers",
                "ListEngagements",
                "ListEngagementInvitations",
                "ListChannels",
                "GetAccount",
                "GetConnectionPreferences",
            ],
            // Accepted offers are visible to services: the opportunity service reads them by id.
            None => &["ListReviewCases", "ListReferralOffers"],
        };
        shown.contains(&rpc.name())
    }

    /// A text in a response that the caller must not learn.
    fn find_disclosure(&self, response: &Response, is_forged: bool) -> Option<&'a str> {
        let mut texts = vec![CANARY, EMAIL_DOMAIN];
        let is_partner = self.side() == Some(Side::Partner);
        if is_partner {
            texts.push(SUBMITTED_CANARY);
        }
        // Errors repeat ids of the request.
        if response.reason.is_none() {
            let all = self.all;
            texts.extend([FIR, &all.opportunity, &all.invitation, &all.connection]);
            texts.extend([
                all.notification.as_str(),
                &all.member,
                &all.job,
                &all.snapshot_job,
            ]);
            // Offers hold the lead's id. Row-level security lets AWS and services read them; only the service omits the
            // id.
            if is_partner || !is_forged {
                texts.push(&all.lead);
            }
            if is_partner {
                texts.extend([all.review_case.as_str(), &all.submitted, &all.approved]);
                texts.extend([all.offer.as_str(), &all.referral]);
                texts.extend([all.engagement.as_str(), &all.engagement_invitation, &all.channel]);
            }
            // A connected partner knows the account and its profile id.
            if is_partner && self.account() != ELM {
                texts.extend([all.account.as_str(), &all.profile]);
            }
        }
        texts
            .into_iter()
            .find(|text| response.text.contains(text) || response.raw.contains(text))
    }
}

/// All tables with an `account_id`, as `schema.table`.
pub async fn account_tables(admin: &mut sqlx::PgConnection) -> Vec<String> {
    let tables = sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id' AND NOT a.attisdropped
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY ($1) ORDER BY 1",
    )
    .bind(repository::contexts())
    .fetch_all(admin)
    .await
    .expect("tables");
    assert!(tables.len() > 30, "{tables:?}");
    tables
}

/// Callers without a relation to Alder: all seeded members of Birch and of AWS, the alliance lead of the connected
/// partner Elm, and a service.
pub fn unrelated_callers() -> Vec<Caller> {
    let all = cosell::seed_members();
    let others = all.iter().filter(|member| member.account() != cosell::ALDER);
    let seeded = others.map(|member| member.caller().expect("a caller"));
    let connected = member("elm-lead", ELM, Side::Partner, &[Role::AllianceLead]);
    seeded.chain([connected, service("review")]).collect()
}

/// Whether the response of an RPC that names no record shows this member of AWS submissions and requests of partners,
/// or the state of its offers.
pub fn is_visible_to_aws(rpc: &str, actor: &str) -> bool {
    match rpc {
        "ListOpportunities"
        | "ListReferrals"
        | "ListEngagements"
        | "ListEngagementInvitations"
        | "ListChannels" => actor.starts_with("aws-"),
        "ListReviewCases" => actor.starts_with("aws-reviewer"),
        "ListNotifications" | "GetUnreadCount" => {
            actor.starts_with("aws-reviewer")
                || actor == "aws-sales-representative"
                || actor.starts_with("aws-account-owner")
        }
        _ => false,
    }
}

/// The calls whose responses differ between two points in time.
pub fn changed_responses(before: &Responses, after: &Responses) -> BTreeSet<(String, String)> {
    assert_eq!(before.len(), after.len());
    let differs = |call: &&(String, String)| before[*call] != after[*call];
    before.keys().filter(differs).cloned().collect()
}

fn is_read(rpc: &MethodDescriptor) -> bool {
    rpc.name().starts_with("Get") || rpc.name().starts_with("List")
}

/// Whether a request names one of these records.
fn names_any(message: &DynamicMessage, records: &Records) -> bool {
    let text = message.to_string();
    let nonexistent = Records::nonexistent();
    let is_real = |id: &&str| !nonexistent.ids().contains(id) || records == &nonexistent;
    records
        .ids()
        .iter()
        .filter(|id| is_real(id))
        .any(|id| text.contains(id))
}

/// Turns the response of a batch RPC in which every item failed into an error.
fn error_if_all_failed(rpc: &MethodDescriptor, response: Bytes) -> Result<Bytes, Status> {
    if rpc.name() != "BatchAcceptReferralOffers" {
        return Ok(response);
    }
    let results = BatchAcceptReferralOffersResponse::decode(response.clone())
        .expect("a response")
        .results;
    let mut refused = None;
    for result in results {
        match result.result {
            Some(Outcome::Error(error)) => {
                let (code, details) = (Code::from(error.code), error.encode_to_vec());
                refused = Some(Status::with_details(code, error.message, details.into()));
            }
            _ => return Ok(response),
        }
    }
    refused.map_or(Ok(response), Err)
}

/// Whether a reason does not disclose that a record exists.
fn hides_existence(reason: &str) -> bool {
    reason == "ROLE_NOT_PERMITTED" || reason.ends_with("_NOT_FOUND")
}
