//! What one account has, and what everybody else learns and changes of it: nothing.

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
use crate::requests::{Records, forged, request, rpcs};
use crate::scene::{ADDRESSES, CANARY, ELM, FIR, SUBMITTED, Scene, anonymous};

/// What is said to somebody: the answer's bytes or the refusal's reason and words, by call and caller.
pub type Told = BTreeMap<(String, String), String>;

impl Scene<'_> {
    /// What each of these is told that names no record.
    pub async fn told(&self, callers: &[Caller]) -> Told {
        let (never, mut told) = (Records::never(), Told::new());
        for rpc in rpcs().iter().filter(|rpc| is_read(rpc)) {
            // About one's own account.
            let mut message = request(rpc, &never, &anonymous());
            if message.descriptor().get_field_by_name("account_id").is_some() {
                message.clear_field_by_name("account_id");
            }
            if names_any(&message, &never) {
                continue;
            }
            for caller in callers {
                let client = Client::new(&self.issuer, Some(caller));
                let answer = self.said(&client, rpc, message.clone()).await;
                told.insert((rpc.name().to_owned(), caller.actor()), answer.text);
            }
        }
        told
    }

    /// Has everybody from outside call every RPC about these records, and looks at what they learn and what becomes of
    /// the records. With `taken_for`, the services take them for these instead.
    pub async fn strangers_learn_and_change_nothing(&self, records: &Records, taken_for: &[Caller]) {
        let accounts = [records.account.as_str(), FIR];
        let before = self.fingerprints(&accounts).await;
        let wrong = self.learned(&rpcs(), records, &strangers(), taken_for).await;
        assert!(wrong.is_empty(), "{wrong:#?}");
        self.world.settled().await;
        let after = self.fingerprints(&accounts).await;
        let changed: Vec<_> = before
            .iter()
            .filter(|(table, print)| after.get(*table) != Some(print))
            .collect();
        assert!(changed.is_empty(), "{changed:?} have changed");
    }

    /// What these strangers learn when they call these RPCs about these records.
    pub async fn learned(
        &self,
        rpcs: &[MethodDescriptor],
        records: &Records,
        strangers: &[Caller],
        taken_for: &[Caller],
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        for stranger in strangers {
            let outside = Outside::new(stranger, records);
            let honest = Client::new(&self.issuer, Some(stranger));
            for rpc in rpcs {
                let mut found = self.answers(&honest, rpc, &outside, false).await;
                for caller in taken_for {
                    let client = honest.clone().taken_for(&forged(caller));
                    found.extend(self.answers(&client, rpc, &outside, true).await);
                    found.extend(self.differs_from_nobodys(&honest, rpc, &outside, caller).await);
                }
                let name = |what| format!("{} by {}: {what}", rpc.name(), stranger.actor());
                wrong.extend(found.into_iter().map(name));
            }
        }
        wrong
    }

    /// Calls an RPC in every way, and says what is wrong with the answers.
    async fn answers(
        &self,
        client: &Client,
        rpc: &MethodDescriptor,
        outside: &Outside<'_>,
        is_forged: bool,
    ) -> Vec<String> {
        let mut found = Vec::new();
        if outside.is_meant_for(rpc) && !is_forged {
            return found;
        }
        for message in outside.ways(rpc, is_forged) {
            let names = names_any(&message, &outside.records(is_forged));
            let said = self.said(client, rpc, message).await;
            if let Some(word) = outside.tells(&said, is_forged) {
                found.push(format!("tells {word}"));
            }
            match said.reason {
                None if names => found.push("lets a stranger at a record".to_owned()),
                Some(reason) if names && !is_forged && !is_silent(&reason) => {
                    found.push(format!("is refused with {reason}"));
                }
                _ => {}
            }
        }
        found
    }

    /// Answers that name no record may hold numbers only: who is taken for somebody of the account must get the same
    /// as who is taken for somebody of an account that never was.
    async fn differs_from_nobodys(
        &self,
        honest: &Client,
        rpc: &MethodDescriptor,
        outside: &Outside<'_>,
        taken_for: &Caller,
    ) -> Option<String> {
        let Caller::Member(whom) = taken_for else {
            panic!("a member")
        };
        let never = Records::never();
        let of_theirs = request(rpc, &outside.records(true), &anonymous());
        let is_about_nothing = is_read(rpc) && !names_any(&of_theirs, &outside.records(true));
        if !is_about_nothing || outside.may_read(rpc, whom.account.as_str()) {
            return None;
        }
        let nobody = member(whom.id.as_str(), &never.account, whom.side, &whom.roles);
        let mut said = Vec::new();
        for (caller, records) in [(taken_for, &outside.records(true)), (&nobody, &never)] {
            let client = honest.clone().taken_for(&forged(caller));
            let answer = self.said(&client, rpc, request(rpc, records, &anonymous())).await;
            let text = answer.text.replace(whom.account.as_str(), &never.account);
            said.push(text.replace(&records.account, &never.account));
        }
        (said[0] != said[1]).then(|| format!("is told of {}: {said:?}", whom.account))
    }

    /// Makes a call.
    async fn said(&self, client: &Client, rpc: &MethodDescriptor, message: DynamicMessage) -> Said {
        let answer = self.call(client.clone(), rpc, message).await;
        match answer.and_then(|bytes| refusal_of_all(rpc, bytes)) {
            Ok(bytes) => Said {
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
                // In order, so that two can be compared.
                let metadata: BTreeMap<_, _> = metadata.into_iter().collect();
                Said {
                    text: format!("{reason}: {message} {metadata:?} {fields:?}"),
                    raw: String::from_utf8_lossy(status.details()).into_owned(),
                    reason: Some(reason),
                }
            }
        }
    }

    /// A hash of all rows of some accounts in each table that has some.
    async fn fingerprints(&self, accounts: &[&str]) -> BTreeMap<String, String> {
        let mut admin = self.world.admin().await;
        let mut prints = BTreeMap::new();
        for table in tables(&mut admin).await {
            let sql = format!(
                "SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t
                 WHERE account_id = ANY ('{{{}}}')",
                accounts.join(",")
            );
            let row = admin.fetch_one(AssertSqlSafe(sql)).await.expect("a hash");
            prints.insert(table, row.get(0));
        }
        prints
    }
}

/// What a call was answered with.
struct Said {
    /// The answer's bytes, or what a refusal says.
    text: String,
    /// A refusal as it is on the wire.
    raw: String,
    /// A refusal's reason.
    reason: Option<String>,
}

/// Somebody from outside, and what of the records is none of its business.
struct Outside<'a> {
    caller: &'a Caller,
    all: &'a Records,
}

impl<'a> Outside<'a> {
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

    /// The records, but for those that the caller has to do with. AWS reads accounts, and what was submitted. Services
    /// do the latter, and ask the directory about members and invitations; taken for somebody else they do not.
    fn records(&self, is_forged: bool) -> Records {
        let (mut records, never) = (self.all.clone(), Records::never());
        match self.side() {
            Some(Side::Partner) => return records,
            Some(Side::Aws) => records.account = never.account,
            None if is_forged => {}
            None => {
                records.member = never.member;
                records.invitation = never.invitation;
            }
        }
        records.review_case = never.review_case;
        if self.side() == Some(Side::Aws) {
            // AWS made the offer, and knows whom it made it to.
            records.offer = never.offer;
        }
        records.referral = never.referral;
        if self.side() == Some(Side::Aws) {
            // AWS sees who works together.
            records.engagement = never.engagement;
            records.engagement_invitation = never.engagement_invitation;
            records.channel = never.channel;
        }
        records.submitted = never.submitted;
        records.approved = never.approved;
        records
    }

    /// The ways to call an RPC about the records: with a request id and without, about the draft, about what was
    /// submitted and about what was approved, about the present and about the first revision.
    fn ways(&self, rpc: &MethodDescriptor, is_forged: bool) -> Vec<DynamicMessage> {
        let records = self.records(is_forged);
        let mut ways = vec![request(rpc, &records, &anonymous())];
        if rpc.input().get_field_by_name("opportunity_id").is_some() {
            for opportunity in [&records.submitted, &records.approved] {
                let another = Records {
                    opportunity: opportunity.clone(),
                    ..records.clone()
                };
                ways.push(request(rpc, &another, &anonymous()));
            }
        }
        if rpc.input().get_field_by_name("request_id").is_some() {
            let mut without = ways.clone();
            for message in &mut without {
                message.clear_field_by_name("request_id");
            }
            ways.extend(without);
        }
        if rpc.name() == "GetOpportunity" {
            let mut first = ways.clone();
            for message in &mut first {
                message.set_field_by_name("revision", Value::I64(1));
            }
            ways.extend(first);
        }
        ways
    }

    /// Provisioning is there for services, and about everybody, and so is what companies are called.
    fn is_meant_for(&self, rpc: &MethodDescriptor) -> bool {
        self.side().is_none() && ["ApplyDirectory", "GetAccount"].contains(&rpc.name())
    }

    /// Whether the database shows the caller something of an account in an answer that names no record.
    fn may_read(&self, rpc: &MethodDescriptor, account: &str) -> bool {
        // Row-level security knows accounts, and keeps no members of one account apart.
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
            // Offers that were accepted: opportunity asks for them by id.
            None => &["ListReviewCases", "ListReferralOffers"],
        };
        shown.contains(&rpc.name())
    }

    /// What an answer tells that the caller must not know.
    fn tells(&self, said: &Said, is_forged: bool) -> Option<&'a str> {
        let mut words = vec![CANARY, ADDRESSES];
        let is_partner = self.side() == Some(Side::Partner);
        if is_partner {
            words.push(SUBMITTED);
        }
        // Refusals repeat what was asked for.
        if said.reason.is_none() {
            let all = self.all;
            words.extend([FIR, &all.opportunity, &all.invitation, &all.connection]);
            words.extend([
                all.notification.as_str(),
                &all.member,
                &all.job,
                &all.snapshot_job,
            ]);
            // Offers that AWS and services reach name it; that it is left out for them only the service sees to.
            if is_partner || !is_forged {
                words.push(&all.lead);
            }
            if is_partner {
                words.extend([all.review_case.as_str(), &all.submitted, &all.approved]);
                words.extend([all.offer.as_str(), &all.referral]);
                words.extend([all.engagement.as_str(), &all.engagement_invitation, &all.channel]);
            }
            // Who is connected with a company knows its account and its profile's id.
            if is_partner && self.account() != ELM {
                words.extend([all.account.as_str(), &all.profile]);
            }
        }
        words
            .into_iter()
            .find(|word| said.text.contains(word) || said.raw.contains(word))
    }
}

/// Every table with rows of accounts, as `schema.table`.
pub async fn tables(admin: &mut sqlx::PgConnection) -> Vec<String> {
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

/// Everybody of another partner and of AWS, one of each role; somebody of a partner that the account is connected with;
/// and a service.
pub fn strangers() -> Vec<Caller> {
    let all = cosell::members();
    let outside = all.iter().filter(|member| member.account() != cosell::ALDER);
    let seeded = outside.map(|member| member.caller().expect("a caller"));
    let connected = member("elm-lead", ELM, Side::Partner, &[Role::AllianceLead]);
    seeded.chain([connected, service("review")]).collect()
}

/// Whether a call that names no record tells a member of AWS that something was submitted or asked for, or what
/// became of its offers.
pub fn is_told_aws(rpc: &str, actor: &str) -> bool {
    match rpc {
        "ListOpportunities"
        | "ListReferrals"
        | "ListEngagements"
        | "ListEngagementInvitations"
        | "ListChannels" => actor.starts_with("aws-"),
        "ListReviewCases" => actor.starts_with("aws-reviewer"),
        "ListNotifications" | "GetUnreadCount" => {
            actor.starts_with("aws-reviewer")
                || ["aws-sales-representative", "aws-account-owner"].contains(&actor)
        }
        _ => false,
    }
}

/// The calls that differ in what somebody is told at two times.
pub fn changed(before: &Told, after: &Told) -> BTreeSet<(String, String)> {
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
    let never = Records::never();
    let is_real = |id: &&str| !never.ids().contains(id) || records == &never;
    records
        .ids()
        .iter()
        .filter(|id| is_real(id))
        .any(|id| text.contains(id))
}

/// Where a call answers for each of several records, and refuses all of them, that is a refusal.
fn refusal_of_all(rpc: &MethodDescriptor, answer: Bytes) -> Result<Bytes, Status> {
    if rpc.name() != "BatchAcceptReferralOffers" {
        return Ok(answer);
    }
    let results = BatchAcceptReferralOffersResponse::decode(answer.clone())
        .expect("an answer")
        .results;
    let mut refused = None;
    for result in results {
        match result.result {
            Some(Outcome::Error(error)) => {
                let (code, details) = (Code::from(error.code), error.encode_to_vec());
                refused = Some(Status::with_details(code, error.message, details.into()));
            }
            _ => return Ok(answer),
        }
    }
    refused.map_or(Ok(answer), Err)
}

/// Whether a reason tells nothing of a record.
fn is_silent(reason: &str) -> bool {
    reason == "ROLE_NOT_PERMITTED" || reason.ends_with("_NOT_FOUND")
}
