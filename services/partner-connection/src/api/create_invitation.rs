use chrono::NaiveTime;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, Scope, Tx, claim};
use cosell_types::{AccountId, Side, random};

use super::{Api, convert, existing_invitation, status, still_permitted};
use crate::domain::access::Action;
use crate::domain::values::{ConnectionInvitationStatus, ConnectionType};
use crate::domain::{Invitation, Links, Offer, Rule, Standing};
use crate::store;

type Request = pb::CreateConnectionInvitationRequest;
type Response = pb::CreateConnectionInvitationResponse;

pub async fn handle(api: Api, call: Call<Request>) -> Result<Response, Failure> {
    let own = &call.member()?.account;
    let message = &call.message;
    let kind = convert::required::<ConnectionType>(message.r#type)?;
    let id = random::prefixed("pacinv-");
    let mut tx = api.begin(&call).await?;
    if let Claim::Replay(done) = claim(&mut tx, &call, &id).await? {
        let invitation = existing_invitation(&mut tx, own, &done).await?;
        return Ok(respond(&api, &invitation, own));
    }
    let receiver = receiver(&mut tx, kind, &message.receiver_id).await?;
    if receiver == *own {
        return Err(status::broken(Rule::ReceiverNaming));
    }
    let locked = store::lock_both(&mut tx, own, &receiver).await?;
    still_permitted(&mut tx, &call, Action::Represent).await?;
    let [sender, receiver] = locked.ok_or_else(|| status::no_receiver(&message.receiver_id))?;
    if receiver.side() != Side::Partner {
        return Err(status::no_receiver(&message.receiver_id));
    }
    let standing = standing(&api, &mut tx, &call, own, receiver.id(), kind).await?;
    let offer = Offer {
        kind,
        inviter_name: message.inviter_name.clone().into(),
        inviter_email: message.inviter_email.clone().into(),
        message: message.message.clone().into(),
    };
    let id = id.parse().map_err(Failure::internal)?;
    let now = api.clock.now();
    let (invitation, event) = Invitation::send(id, &sender, &receiver, offer, &standing, &api.quotas, now)
        .map_err(status::broken)?;
    let actor = call.caller.actor();
    store::save_invitation(&mut tx, &invitation, event, api.cause(&call, &actor)).await?;
    api.conclude(tx, &call).await?;
    Ok(respond(&api, &invitation, own))
}

/// Whom the request names: a public profile for one type, an account for the other (CON-002).
async fn receiver(tx: &mut Tx, kind: ConnectionType, named: &str) -> Result<AccountId, Failure> {
    let by_account: Option<AccountId> = named.parse().ok();
    match (kind, by_account) {
        (ConnectionType::OpportunityCollaboration, None) => store::owner_of_profile(tx, named)
            .await?
            .ok_or_else(|| status::no_receiver(named)),
        (ConnectionType::Subsidiary, Some(account)) => Ok(account),
        _ => Err(status::broken(Rule::ReceiverNaming)),
    }
}

/// What there is between the two, and how much the sender has.
async fn standing(
    api: &Api,
    tx: &mut Tx,
    call: &Call<Request>,
    own: &AccountId,
    other: &AccountId,
    kind: ConnectionType,
) -> Result<Standing, Failure> {
    let now = api.clock.now();
    let mut open_between = store::open_between(tx, own, other, kind).await?;
    if let Some(over) = &mut open_between
        && let Some(event) = over.expire(now)
    {
        // Its time is over, and nobody has noted it yet; it does not stand in the way.
        let actor = call.caller.actor();
        store::save_invitation(tx, over, event, api.cause(call, &actor)).await?;
    }
    let today = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    let (sent_today, open) = store::sender_counts(tx, own, today, now).await?;
    Ok(Standing {
        open_between: open_between
            .filter(|open| open.status() == ConnectionInvitationStatus::Pending)
            .map(|open| open.id().clone()),
        connection: store::active_between(tx, own, other).await?,
        sent_today,
        open,
        connections: store::active_of(tx, own).await?,
        links: links(tx, kind, own, other).await?,
    })
}

/// How sender and receiver are linked with others, where that matters.
pub async fn links(
    tx: &mut Tx,
    kind: ConnectionType,
    own: &AccountId,
    other: &AccountId,
) -> Result<[Links; 2], Failure> {
    if kind != ConnectionType::Subsidiary {
        return Ok([Links::default(); 2]);
    }
    let scope = tx.scope().clone();
    let of_own = store::links(tx, own).await?;
    tx.act_for(&Scope::account(other)).await?;
    let of_other = store::links(tx, other).await?;
    tx.act_for(&scope).await?;
    Ok([of_own, of_other])
}

fn respond(api: &Api, invitation: &Invitation, own: &AccountId) -> Response {
    pb::CreateConnectionInvitationResponse {
        connection_invitation: Some(convert::invitation(invitation, own, api.clock.now())),
    }
}
