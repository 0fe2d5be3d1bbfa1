use chrono::{DateTime, NaiveTime, Utc};
use cosell_events::Cause;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::Tx;
use cosell_types::{AccountId, Side, comparable_email, random};

use super::Api;
use crate::domain::access::Action;
use crate::domain::values::{ConnectionInvitationStatus, ConnectionType};
use crate::domain::{ConnectionContext, Invitation, InvitationDetails, Rule};
use crate::load::{load_links, require_still_permitted};
use crate::write::create;
use crate::{convert, status, store};

type Request = pb::CreateConnectionInvitationRequest;
type Response = pb::CreateConnectionInvitationResponse;

pub async fn handle(api: Api, call: Call<Request>) -> Result<Response, Failure> {
    let own_account = &call.member()?.account;
    let message = &call.message;
    let kind = convert::closed_list_value::<ConnectionType>(message.r#type)?;
    let id = random::prefixed("pacinv-");
    let now = api.clock.now();
    let created = create(&api.db, &call, &id, now, async |tx| {
        let receiver = find_receiver(tx, kind, &message.receiver_id).await?;
        if receiver == *own_account {
            return Err(status::rule_violated(Rule::InvalidReceiverId));
        }
        let locked = store::lock_both_accounts(tx, own_account, &receiver).await?;
        require_still_permitted(tx, &call, Action::RepresentAccount).await?;
        let [sender, receiver] = locked.ok_or_else(|| status::receiver_not_found(&message.receiver_id))?;
        if receiver.side() != Side::Partner {
            return Err(status::receiver_not_found(&message.receiver_id));
        }
        let context = load_context(tx, &call, receiver.id(), kind, now).await?;
        let details = InvitationDetails {
            kind,
            inviter_name: message.inviter_name.clone().into(),
            inviter_email: comparable_email(&message.inviter_email).into(),
            message: message.message.clone().into(),
        };
        let id = id.parse().map_err(Failure::internal)?;
        let sent = Invitation::send(id, &sender, &receiver, details, &context, &api.quotas, now);
        sent.map_err(status::rule_violated)
    });
    let invitation = created.await?;
    Ok(pb::CreateConnectionInvitationResponse {
        connection_invitation: Some(convert::invitation(&invitation, own_account, now)),
    })
}

/// The account of `receiver_id`: the id of a public profile for OPPORTUNITY_COLLABORATION, of an account for SUBSIDIARY
/// (CON-002).
async fn find_receiver(tx: &mut Tx, kind: ConnectionType, receiver_id: &str) -> Result<AccountId, Failure> {
    let account_id: Option<AccountId> = receiver_id.parse().ok();
    match (kind, account_id) {
        (ConnectionType::OpportunityCollaboration, None) => store::find_profile_owner(tx, receiver_id)
            .await?
            .ok_or_else(|| status::receiver_not_found(receiver_id)),
        (ConnectionType::Subsidiary, Some(account)) => Ok(account),
        _ => Err(status::rule_violated(Rule::InvalidReceiverId)),
    }
}

/// The facts about the two accounts that decide whether the invitation may be sent. Expires a pending invitation that
/// is past its deadline.
async fn load_context(
    tx: &mut Tx,
    call: &Call<Request>,
    receiver: &AccountId,
    kind: ConnectionType,
    now: DateTime<Utc>,
) -> Result<ConnectionContext, Failure> {
    let own_account = &call.member()?.account;
    let mut pending = store::load_pending_invitation(tx, own_account, receiver, kind).await?;
    if let Some(invitation) = &mut pending
        && let Some(event) = invitation.expire(now)
    {
        // Otherwise it blocks the new invitation until the worker expires it.
        store::save_invitation(tx, invitation, event, Cause::of(call, now)).await?;
    }
    let midnight = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    let (invitations_sent_today, open_invitations) =
        store::count_sender_invitations(tx, own_account, midnight, now).await?;
    Ok(ConnectionContext {
        pending_invitation: pending
            .filter(|invitation| invitation.status() == ConnectionInvitationStatus::Pending)
            .map(|invitation| invitation.id().clone()),
        active_connection: store::load_active_connection(tx, own_account, receiver).await?,
        invitations_sent_today,
        open_invitations,
        active_connections: store::count_active_connections(tx, own_account).await?,
        links: load_links(tx, kind, own_account, receiver).await?,
    })
}
