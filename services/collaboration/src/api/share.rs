use std::collections::BTreeSet;

use cosell_grpc::{Call, Failure, MAX_RESPONSE, Retry};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_client::OpportunityInternalServiceClient;
use cosell_proto::cosell::partner::v1 as partner;
use cosell_proto::cosell::partner::v1::account_service_client::AccountServiceClient;
use cosell_store::{Claim, Scope, Tx, claim};
use cosell_types::{
    AccountId, FieldPath, Member, MemberId, OpportunityId, Pii, Violation, ViolationCode, random,
};
use futures::future::try_join_all;
use prost::Message as _;
use tonic::{Code, Status};

use super::convert::Words;
use super::{Api, convert, status};
use crate::domain::values::SnapshotTemplate;
use crate::domain::{
    Beginning, Company, Engagement, EngagementEvent, Invitation, Rule, Sending, SnapshotJob, Subject,
};
use crate::store;

/// How long the name of an engagement may be.
const TITLE: usize = 40;

/// Who is asked, and by which words.
struct Asked {
    account: AccountId,
    company: Company,
    alias: Pii<String>,
    responsibilities: Vec<i32>,
}

pub async fn handle(
    api: Api,
    call: Call<pb::ShareOpportunityRequest>,
) -> Result<pb::ShareOpportunityResponse, Failure> {
    let member = call.member()?.clone();
    let message = &call.message;
    let opportunity_id = &message.opportunity_id;
    let mut tx = api.begin(&call).await?;
    if let Claim::Replay(_) = claim(&mut tx, &call, opportunity_id).await? {
        return again(&api, &mut tx, &call).await;
    }
    // What was done is answered whatever has changed since; what is new is checked while no transaction is open.
    drop(tx);
    sound(message)?;
    let (id, record, _) = record(&api, (&member.account, Some(&member.id)), opportunity_id).await?;
    convert::shareable(&record).require(id).map_err(status::broken)?;
    let receivers = accounts(message)?;
    // Of whom it is not connected with, a company learns nothing, not even that there is such a company.
    let mut tx = api.begin(&call).await?;
    require_connected(&mut tx, &member.account, &receivers).await?;
    drop(tx);
    let own = company(&api, &member.account);
    let others = try_join_all(receivers.iter().map(|account| company(&api, account)));
    let (own, others) = tokio::try_join!(own, others)?;
    let asked = receivers.iter().zip(others).zip(&message.receivers);
    let asked: Vec<_> = asked
        .map(|((account, company), given)| Asked {
            account: account.clone(),
            company,
            alias: given.alias.clone().into(),
            responsibilities: given.responsibilities.clone(),
        })
        .collect();

    let mut tx = api.begin(&call).await?;
    if let Claim::Replay(_) = claim(&mut tx, &call, opportunity_id).await? {
        return again(&api, &mut tx, &call).await;
    }
    require_connected(&mut tx, &member.account, &receivers).await?;
    tx.act_for(&Scope::account(&member.account)).await?;
    let (mut engagement, mut happened) = match store::load_engagement_of(&mut tx, &member.account, id).await?
    {
        Some(engagement) => (goes_on(engagement, message)?, Vec::new()),
        None => {
            let (engagement, begun) = begin(&api, &member, id, own, message, &record)?;
            (engagement, vec![begun])
        }
    };
    let is_new = !happened.is_empty();
    engagement.limit(convert::is_limited(&record));
    let actor = call.caller.actor();
    let cause = api.cause(&call, &actor);
    let mut sent = Vec::new();
    for one in asked {
        let (invitation, event) = Invitation::send(
            Sending {
                id: random::prefixed_letter("engi-", 13)
                    .parse()
                    .map_err(Failure::internal)?,
                engagement: engagement.id().clone(),
                sender: member.account.clone(),
                by: member.id.clone(),
                receiver: one.account,
                alias: one.alias,
                source: id,
            },
            api.days,
            cause.time,
        );
        // Who is part of it is said before the new one is.
        let words = Words {
            message: &message.message,
            contacts: &message.sender_contacts,
            responsibilities: &one.responsibilities,
        };
        let content = convert::content(&engagement, &record, words).encode_to_vec();
        let invited = engagement.invite(&invitation, one.company, cause.time);
        happened.push(invited.map_err(status::broken)?);
        sent.push((invitation, content, event));
    }
    store::save_engagement(&mut tx, &engagement, &happened, cause).await?;
    if is_new {
        add_jobs(&mut tx, &engagement, &member.account, &member.id, id, &api).await?;
    }
    let mut names: Vec<_> = happened.iter().map(EngagementEvent::name).collect();
    for (invitation, content, event) in &sent {
        let shown = (content.as_slice(), engagement.is_limited());
        store::send_invitation(&mut tx, invitation, shown, *event, cause).await?;
        names.push(event.name());
    }
    api.conclude(tx, &call, &names).await?;
    tracing::info!(engagement.id = %engagement.id(), invitations = sent.len(), "opportunity shared");
    let invitations = sent
        .into_iter()
        .map(|(invitation, content, _)| convert::invitation(&invitation, Some(content), &member, cause.time));
    Ok(pb::ShareOpportunityResponse {
        engagement: Some(convert::engagement(&engagement, &member)),
        engagement_invitations: invitations.collect::<Result<_, _>>()?,
    })
}

/// What the form of the request leaves open, with everything that is wrong.
fn sound(message: &pb::ShareOpportunityRequest) -> Result<(), Failure> {
    let at = FieldPath::root();
    let mut found = Vec::new();
    for (index, contact) in message.sender_contacts.iter().enumerate() {
        if contact.email.is_empty() {
            let field = format!("sender_contacts[{index}].email");
            let text = "is required: whom a partner may turn to must be reachable";
            found.push(Violation::new(
                &at.field(&field),
                ViolationCode::RequiredFieldMissing,
                text,
            ));
        }
    }
    let mut named = BTreeSet::new();
    for (index, receiver) in message.receivers.iter().enumerate() {
        if !named.insert(&receiver.account_id) {
            let field = format!("receivers[{index}].account_id");
            let text = "is named before; each company is invited once";
            found.push(Violation::new(
                &at.field(&field),
                ViolationCode::InvalidValue,
                text,
            ));
        }
    }
    if found.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid(found))
    }
}

fn accounts(message: &pb::ShareOpportunityRequest) -> Result<Vec<AccountId>, Failure> {
    let ids = message.receivers.iter();
    ids.map(|receiver| receiver.account_id.parse().map_err(Failure::internal))
        .collect()
}

/// The record and its AWS summary, as far as the member sees them. The opportunity service is asked as one service by
/// another, and says what the member may see (docs/adr/0017).
pub async fn record(
    api: &Api,
    (account, member): (&AccountId, Option<&MemberId>),
    id: &str,
) -> Result<
    (
        OpportunityId,
        opportunity::Opportunity,
        opportunity::AwsOpportunitySummary,
    ),
    Failure,
> {
    let not_found = || status::opportunity_not_found(id);
    let opportunity_id = id.parse().map_err(|_| not_found())?;
    let question = opportunity::GetOpportunityForAccountRequest {
        account_id: account.to_string(),
        opportunity_id: id.to_owned(),
        member_id: member.map(ToString::to_string).unwrap_or_default(),
    };
    let request = api.opportunity.request(question)?;
    let answer = OpportunityInternalServiceClient::new(api.opportunity.channel())
        .max_decoding_message_size(MAX_RESPONSE)
        .get_opportunity_for_account(request)
        .await;
    let answer = answer.map_err(|error| match error.code() {
        Code::NotFound => not_found(),
        _ => elsewhere(error),
    })?;
    let answer = answer.into_inner();
    let record = answer.opportunity.ok_or_else(not_found)?;
    Ok((
        opportunity_id,
        record,
        answer.aws_opportunity_summary.unwrap_or_default(),
    ))
}

/// What a company is called, by the directory.
async fn company(api: &Api, account: &AccountId) -> Result<Company, Failure> {
    let question = partner::GetAccountRequest {
        account_id: account.to_string(),
    };
    let request = api.directory.request(question)?;
    let answer = AccountServiceClient::new(api.directory.channel())
        .get_account(request)
        .await;
    let found = answer
        .map_err(elsewhere)?
        .into_inner()
        .account
        .unwrap_or_default();
    Ok(convert::company(&found))
}

fn elsewhere(error: Status) -> Failure {
    match error.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled => {
            Failure::unavailable(Retry::Never, error)
        }
        _ => Failure::internal(error),
    }
}

/// Refuses companies that the own one is not connected with, or that take no part (COL-002).
async fn require_connected(tx: &mut Tx, own: &AccountId, receivers: &[AccountId]) -> Result<(), Failure> {
    for receiver in receivers {
        let is_connected = store::is_connected(tx, own, receiver).await?;
        if !is_connected || !store::takes_part(tx, receiver).await? {
            return Err(status::broken(Rule::NotConnected(receiver.clone())));
        }
    }
    Ok(())
}

fn begin(
    api: &Api,
    member: &Member,
    opportunity: OpportunityId,
    company: Company,
    message: &pb::ShareOpportunityRequest,
    record: &opportunity::Opportunity,
) -> Result<(Engagement, EngagementEvent), Failure> {
    let context = convert::context_of(record);
    let title = match message.engagement_title.trim() {
        "" => context.title.reveal().chars().take(TITLE).collect(),
        title => title.to_owned(),
    };
    let given = Beginning {
        id: random::prefixed_letter("eng-", 14)
            .parse()
            .map_err(Failure::internal)?,
        account: member.account.clone(),
        company,
        by: member.id.clone(),
        opportunity,
        title: title.into(),
        description: message.engagement_description.trim().into(),
        context,
    };
    Ok(Engagement::begin(given, api.clock.now()))
}

/// An engagement that there is keeps its name (COL-004).
fn goes_on(engagement: Engagement, message: &pb::ShareOpportunityRequest) -> Result<Engagement, Failure> {
    let at = FieldPath::root();
    let mut found = Vec::new();
    for (field, given, present) in [
        ("engagement_title", &message.engagement_title, engagement.title()),
        (
            "engagement_description",
            &message.engagement_description,
            engagement.description(),
        ),
    ] {
        if !given.is_empty() && given.trim() != present.reveal() {
            let text = "cannot be changed: the opportunity is shared already";
            found.push(Violation::new(
                &at.field(field),
                ViolationCode::ActionNotPermitted,
                text,
            ));
        }
    }
    if found.is_empty() {
        Ok(engagement)
    } else {
        Err(Failure::invalid(found))
    }
}

/// The jobs that make snapshots of an opportunity in an engagement. The transaction is for the account afterwards.
pub async fn add_jobs(
    tx: &mut Tx,
    engagement: &Engagement,
    account: &AccountId,
    by: &MemberId,
    opportunity: OpportunityId,
    api: &Api,
) -> Result<(), Failure> {
    tx.act_for(&Scope::account(account)).await?;
    for template in [
        SnapshotTemplate::OpportunitySummary,
        SnapshotTemplate::AwsOpportunitySummary,
    ] {
        let subject = Subject {
            account: account.clone(),
            engagement: engagement.id().clone(),
            opportunity,
            template,
        };
        let id = random::prefixed("job-").parse().map_err(Failure::internal)?;
        let job = SnapshotJob::create(id, subject, by.clone(), api.clock.now());
        store::create_job(tx, &job).await?;
    }
    Ok(())
}

/// What a call did before: the engagement, and the invitations as they stand now.
async fn again(
    api: &Api,
    tx: &mut Tx,
    call: &Call<pb::ShareOpportunityRequest>,
) -> Result<pb::ShareOpportunityResponse, Failure> {
    let member = call.member()?;
    let id = call.message.opportunity_id.parse().map_err(Failure::internal)?;
    tx.act_for(&Scope::account(&member.account)).await?;
    let engagement = store::load_engagement_of(tx, &member.account, id).await?;
    let engagement = engagement.ok_or_else(|| Failure::internal("shared, but no engagement"))?;
    let receivers = call.message.receivers.iter();
    let receivers: Vec<_> = receivers.map(|receiver| receiver.account_id.clone()).collect();
    let mut found = store::invitations_of(tx, &member.account, engagement.id(), &receivers).await?;
    found.sort_by_key(|(invitation, _)| {
        receivers
            .iter()
            .position(|receiver| receiver == invitation.receiver().as_str())
    });
    let now = api.clock.now();
    let invitations = found
        .into_iter()
        .map(|(invitation, shown)| convert::invitation(&invitation, shown, member, now));
    Ok(pb::ShareOpportunityResponse {
        engagement: Some(convert::engagement(&engagement, member)),
        engagement_invitations: invitations.collect::<Result<_, _>>()?,
    })
}
