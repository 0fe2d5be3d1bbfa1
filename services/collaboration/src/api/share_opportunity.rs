use std::collections::BTreeSet;

use cosell_events::Cause;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_store::{Claim, Scope, Tx, begin, claim, commit};
use cosell_types::{AccountId, FieldPath, Member, OpportunityId, Pii, Violation, ViolationCode, random};
use futures::future::try_join_all;
use prost::Message as _;

use super::Api;
use crate::convert::SenderContent;
use crate::domain::{
    AccountProfile, Engagement, EngagementEvent, Invitation, NewEngagement, NewInvitation, Rule,
};
use crate::events::CONTEXT;
use crate::peers::{self, ReadOpportunity, load_account_profile};
use crate::snapshot_jobs::create_default_jobs;
use crate::{convert, status, store};

/// The maximum number of characters of an engagement title (COL-004).
const MAX_TITLE: usize = 40;

/// An account to invite, and the content of its invitation.
struct Receiver {
    account: AccountId,
    profile: AccountProfile,
    alias: Pii<String>,
    responsibilities: Vec<i32>,
}

/// Creates the engagement or adds to it, and sends an invitation to each receiver, all in one transaction.
pub async fn handle(
    api: Api,
    call: Call<pb::ShareOpportunityRequest>,
) -> Result<pb::ShareOpportunityResponse, Failure> {
    let member = call.member()?.clone();
    let message = &call.message;
    let opportunity_id = &message.opportunity_id;
    let mut tx = begin(&api.db, &call).await?;
    if let Claim::Replay(_) = claim(&mut tx, &call, opportunity_id).await? {
        return load_shared(&api, &mut tx, &call).await;
    }
    // A replay succeeds whatever has changed since. A new request calls other services, without holding a connection.
    drop(tx);
    require_valid(message)?;
    let reader = (&member.account, Some(&member.id));
    let ReadOpportunity { id, record, .. } =
        peers::load_opportunity(&api.opportunity, reader, opportunity_id).await?;
    convert::sharing_facts(&record)
        .require_shareable(id)
        .map_err(status::rule_violated)?;
    let receivers = receiver_accounts(message)?;
    // Checked before the call to the directory, which would reveal whether an account without a connection exists.
    let mut tx = begin(&api.db, &call).await?;
    require_connected(&mut tx, &member.account, &receivers).await?;
    drop(tx);
    let own_profile = load_account_profile(&api.directory, &member.account);
    let profiles = receivers
        .iter()
        .map(|account| load_account_profile(&api.directory, account));
    let profiles = try_join_all(profiles);
    let (own_profile, profiles) = tokio::try_join!(own_profile, profiles)?;
    let to_invite = receivers.iter().zip(profiles).zip(&message.receivers);
    let to_invite: Vec<_> = to_invite
        .map(|((account, profile), receiver)| Receiver {
            account: account.clone(),
            profile,
            alias: receiver.alias.clone().into(),
            responsibilities: receiver.responsibilities.clone(),
        })
        .collect();

    let mut tx = begin(&api.db, &call).await?;
    if let Claim::Replay(_) = claim(&mut tx, &call, opportunity_id).await? {
        return load_shared(&api, &mut tx, &call).await;
    }
    require_connected(&mut tx, &member.account, &receivers).await?;
    tx.switch_scope(&Scope::account(&member.account)).await?;
    let existing = store::lock_engagement_of_opportunity(&mut tx, &member.account, id).await?;
    let (mut engagement, mut engagement_events) = match existing {
        Some(engagement) => (require_same_title(engagement, message)?, Vec::new()),
        None => {
            let (engagement, created) = create_engagement(&api, &member, id, own_profile, message, &record)?;
            (engagement, vec![created])
        }
    };
    let is_new = !engagement_events.is_empty();
    engagement.set_limited(convert::is_limited(&record));
    let cause = Cause::of(&call, api.clock.now());
    let mut sent = Vec::new();
    for receiver in to_invite {
        let (invitation, event) = Invitation::send(
            NewInvitation {
                id: random::prefixed_letter("engi-", 13)
                    .parse()
                    .map_err(Failure::internal)?,
                engagement: engagement.id().clone(),
                sender: member.account.clone(),
                sent_by: member.id.clone(),
                receiver: receiver.account,
                alias: receiver.alias,
                source: id,
            },
            api.invitation_days,
            cause.time,
        );
        // Built before the receiver is added, so that the content lists only the accounts that are already members.
        let sender_content = SenderContent {
            message: &message.message,
            contacts: &message.sender_contacts,
            responsibilities: &receiver.responsibilities,
        };
        let content = convert::invitation_content(&engagement, &record, sender_content).encode_to_vec();
        let invited = engagement.invite(&invitation, receiver.profile, cause.time);
        engagement_events.push(invited.map_err(status::rule_violated)?);
        sent.push((invitation, content, event));
    }
    store::save_engagement(&mut tx, &engagement, &engagement_events, cause).await?;
    if is_new {
        create_default_jobs(&mut tx, engagement.id(), &member, id, cause.time).await?;
    }
    let mut transitions: Vec<_> = engagement_events.iter().map(EngagementEvent::name).collect();
    for (invitation, content, event) in &sent {
        let content = (content.as_slice(), engagement.is_limited());
        store::send_invitation(&mut tx, invitation, content, *event, cause).await?;
        transitions.push(event.name());
    }
    if commit(tx, &call, CONTEXT, &transitions).await? {
        tracing::info!(engagement.id = %engagement.id(), invitations = sent.len(), "opportunity shared");
    }
    let invitations = sent.into_iter().map(|(invitation, content, _)| {
        convert::invitation(&invitation, Some(content), member.own_account(), cause.time)
    });
    Ok(pb::ShareOpportunityResponse {
        engagement: Some(convert::engagement(&engagement, &member)),
        engagement_invitations: invitations.collect::<Result<_, _>>()?,
    })
}

/// Checks the rules of the request that its proto definition does not express.
fn require_valid(message: &pb::ShareOpportunityRequest) -> Result<(), Failure> {
    let root = FieldPath::root();
    let mut violations = Vec::new();
    for (index, contact) in message.sender_contacts.iter().enumerate() {
        if contact.email.is_empty() {
            let field = format!("sender_contacts[{index}].email");
            let text = "Is required: the receiver needs a way to reach the contact.";
            violations.push(Violation::new(
                &root.field(&field),
                ViolationCode::RequiredFieldMissing,
                text,
            ));
        }
    }
    let mut accounts = BTreeSet::new();
    for (index, receiver) in message.receivers.iter().enumerate() {
        if !accounts.insert(&receiver.account_id) {
            let field = format!("receivers[{index}].account_id");
            let text = "Duplicate value: each account may be listed only once.";
            violations.push(Violation::new(
                &root.field(&field),
                ViolationCode::InvalidValue,
                text,
            ));
        }
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid(violations))
    }
}

fn receiver_accounts(message: &pb::ShareOpportunityRequest) -> Result<Vec<AccountId>, Failure> {
    let ids = message.receivers.iter();
    ids.map(|receiver| receiver.account_id.parse().map_err(Failure::internal))
        .collect()
}

/// Fails when a receiver is not connected with the caller's account, or is not an active partner account (COL-002).
async fn require_connected(tx: &mut Tx, own: &AccountId, receivers: &[AccountId]) -> Result<(), Failure> {
    for receiver in receivers {
        let is_connected = store::is_connected(tx, own, receiver).await?;
        if !is_connected || !store::is_active_partner(tx, receiver).await? {
            return Err(status::rule_violated(Rule::NotConnected(receiver.clone())));
        }
    }
    Ok(())
}

fn create_engagement(
    api: &Api,
    member: &Member,
    opportunity: OpportunityId,
    profile: AccountProfile,
    message: &pb::ShareOpportunityRequest,
    record: &opportunity::Opportunity,
) -> Result<(Engagement, EngagementEvent), Failure> {
    let context = convert::context_from_opportunity(record);
    let title = match message.engagement_title.trim() {
        "" => context.title.reveal().chars().take(MAX_TITLE).collect(),
        title => title.to_owned(),
    };
    let new = NewEngagement {
        id: random::prefixed_letter("eng-", 14)
            .parse()
            .map_err(Failure::internal)?,
        account: member.account.clone(),
        profile,
        created_by: member.id.clone(),
        opportunity,
        title: title.into(),
        description: message.engagement_description.trim().into(),
        context,
    };
    Ok(Engagement::create(new, api.clock.now()))
}

/// Fails when the title or the description of the request differs from that of the existing engagement (COL-004).
fn require_same_title(
    engagement: Engagement,
    message: &pb::ShareOpportunityRequest,
) -> Result<Engagement, Failure> {
    let root = FieldPath::root();
    let mut violations = Vec::new();
    for (field, requested, current) in [
        ("engagement_title", &message.engagement_title, engagement.title()),
        (
            "engagement_description",
            &message.engagement_description,
            engagement.description(),
        ),
    ] {
        if !requested.is_empty() && requested.trim() != current.reveal() {
            let text =
                "Must be empty or equal to the value of the existing engagement, which cannot be changed.";
            violations.push(Violation::new(
                &root.field(field),
                ViolationCode::ActionNotPermitted,
                text,
            ));
        }
    }
    if violations.is_empty() {
        Ok(engagement)
    } else {
        Err(Failure::invalid(violations))
    }
}

/// The engagement and the invitations of an earlier call with this request id, in their current state.
async fn load_shared(
    api: &Api,
    tx: &mut Tx,
    call: &Call<pb::ShareOpportunityRequest>,
) -> Result<pb::ShareOpportunityResponse, Failure> {
    let member = call.member()?;
    let id = call.message.opportunity_id.parse().map_err(Failure::internal)?;
    tx.switch_scope(&Scope::account(&member.account)).await?;
    let engagement = store::lock_engagement_of_opportunity(tx, &member.account, id).await?;
    let engagement =
        engagement.ok_or_else(|| Failure::internal("the shared opportunity has no engagement"))?;
    let receivers = call.message.receivers.iter();
    let receivers: Vec<_> = receivers.map(|receiver| receiver.account_id.clone()).collect();
    let mut invitations =
        store::load_latest_invitations(tx, &member.account, engagement.id(), &receivers).await?;
    invitations.sort_by_key(|(invitation, _)| {
        receivers
            .iter()
            .position(|receiver| receiver == invitation.receiver().as_str())
    });
    let now = api.clock.now();
    let invitations = invitations
        .into_iter()
        .map(|(invitation, content)| convert::invitation(&invitation, content, member.own_account(), now));
    Ok(pb::ShareOpportunityResponse {
        engagement: Some(convert::engagement(&engagement, member)),
        engagement_invitations: invitations.collect::<Result<_, _>>()?,
    })
}
