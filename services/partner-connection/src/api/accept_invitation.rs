use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, Scope, Tx, claim};
use cosell_types::{AccountId, random};

use super::create_invitation::links;
use super::{Api, convert, existing_connection, existing_invitation, status, still_permitted};
use crate::domain::access::Action;
use crate::domain::{Connection, ConnectionEvent, Invitation};
use crate::store;

type Request = pb::AcceptConnectionInvitationRequest;
type Response = pb::AcceptConnectionInvitationResponse;

pub async fn handle(api: Api, call: Call<Request>) -> Result<Response, Failure> {
    let own = &call.member()?.account;
    let id = &call.message.connection_invitation_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let mut invitation = existing_invitation(&mut tx, own, id).await?;
    if let (Claim::Replay(_), Some(connection)) = (claimed, invitation.connection()) {
        let connection = existing_connection(&mut tx, own, connection.as_str()).await?;
        return Ok(respond(&api, &invitation, &connection, own));
    }
    let other = invitation.other(own).account.clone();
    let locked = store::lock_both(&mut tx, own, &other).await?;
    still_permitted(&mut tx, &call, Action::Represent).await?;
    let accounts = locked.ok_or_else(|| Failure::internal("an invitation of no account"))?;
    invitation = existing_invitation(&mut tx, own, id).await?;
    etags::check(&call.message.etag, invitation.revision())?;
    let now = api.clock.now();
    let present = store::active_between(&mut tx, own, &other).await?;
    let connection_id = match &present {
        Some(connection) => connection.id().clone(),
        None => random::prefixed("pac-").parse().map_err(Failure::internal)?,
    };
    // Of the sender first.
    let [of_own, of_other] = links(&mut tx, invitation.offer().kind, own, &other).await?;
    let links = [of_other, of_own];
    let event = invitation
        .accept(own, connection_id.clone(), links, now)
        .map_err(status::broken)?;
    for account in &accounts {
        account.require_active().map_err(status::broken)?;
    }
    let (connection, made) = match present {
        Some(mut connection) => {
            let made = connection.extend(&invitation, now).map_err(status::broken)?;
            (connection, made)
        }
        None => connect(&api, &mut tx, connection_id, &invitation).await?,
    };
    let actor = call.caller.actor();
    let cause = api.cause(&call, &actor);
    store::save_invitation(&mut tx, &invitation, event, cause).await?;
    store::save_connection(&mut tx, &connection, made, cause).await?;
    api.conclude(tx, &call).await?;
    Ok(respond(&api, &invitation, &connection, own))
}

async fn connect(
    api: &Api,
    tx: &mut Tx,
    id: crate::domain::ConnectionId,
    invitation: &Invitation,
) -> Result<(Connection, ConnectionEvent), Failure> {
    let scope = tx.scope().clone();
    let mut present = [0; 2];
    for (count, party) in present
        .iter_mut()
        .zip([invitation.sender(), invitation.receiver()])
    {
        tx.act_for(&Scope::account(&party.account)).await?;
        *count = store::active_of(tx, &party.account).await?;
    }
    tx.act_for(&scope).await?;
    Connection::make(id, invitation, present, &api.quotas, api.clock.now()).map_err(status::broken)
}

fn respond(api: &Api, invitation: &Invitation, connection: &Connection, own: &AccountId) -> Response {
    pb::AcceptConnectionInvitationResponse {
        connection_invitation: Some(convert::invitation(invitation, own, api.clock.now())),
        connection: Some(convert::connection(connection, own)),
    }
}
