use cosell_events::Cause;
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, Scope, Tx, begin, claim};
use cosell_types::{AccountId, random};

use super::Api;
use crate::domain::access::Action;
use crate::domain::{Connection, ConnectionEvent, ConnectionId, Invitation};
use crate::load::{load_connection, load_invitation, load_links, require_still_permitted};
use crate::write::commit_change;
use crate::{convert, status, store};

type Request = pb::AcceptConnectionInvitationRequest;
type Response = pb::AcceptConnectionInvitationResponse;

/// Does not use [`change`](crate::write::change), because it saves two aggregates: the invitation and the connection.
pub async fn handle(api: Api, call: Call<Request>) -> Result<Response, Failure> {
    let own_account = &call.member()?.account;
    let id = &call.message.connection_invitation_id;
    let mut tx = begin(&api.db, &call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let mut invitation = load_invitation(&mut tx, own_account, id).await?;
    if let (Claim::Replay(_), Some(connection)) = (claimed, invitation.connection()) {
        let connection = load_connection(&mut tx, own_account, connection.as_str()).await?;
        return Ok(respond(&api, &invitation, &connection, own_account));
    }
    let counterparty = invitation.counterparty(own_account).account.clone();
    let locked = store::lock_both_accounts(&mut tx, own_account, &counterparty).await?;
    require_still_permitted(&mut tx, &call, Action::RepresentAccount).await?;
    let accounts = locked.ok_or_else(|| Failure::internal("an account of the invitation does not exist"))?;
    invitation = load_invitation(&mut tx, own_account, id).await?;
    etags::check(&call.message.etag, invitation.revision())?;
    let now = api.clock.now();
    let active_connection = store::load_active_connection(&mut tx, own_account, &counterparty).await?;
    let connection_id = match &active_connection {
        Some(connection) => connection.id().clone(),
        None => random::prefixed("pac-").parse().map_err(Failure::internal)?,
    };
    let [receiver_links, sender_links] =
        load_links(&mut tx, invitation.details().kind, own_account, &counterparty).await?;
    let event = invitation
        .accept(
            own_account,
            connection_id.clone(),
            [sender_links, receiver_links],
            now,
        )
        .map_err(status::rule_violated)?;
    for account in &accounts {
        account.require_active().map_err(status::rule_violated)?;
    }
    let (connection, connection_event) = match active_connection {
        Some(mut connection) => {
            let event = connection
                .add_type(&invitation, now)
                .map_err(status::rule_violated)?;
            (connection, event)
        }
        None => establish_connection(&api, &mut tx, connection_id, &invitation).await?,
    };
    let cause = Cause::of(&call, now);
    store::save_invitation(&mut tx, &invitation, event, cause).await?;
    store::save_connection(&mut tx, &connection, connection_event, cause).await?;
    commit_change(tx, &call).await?;
    Ok(respond(&api, &invitation, &connection, own_account))
}

/// Checks the connection limits of both accounts, each in its own scope, and creates the connection.
async fn establish_connection(
    api: &Api,
    tx: &mut Tx,
    id: ConnectionId,
    invitation: &Invitation,
) -> Result<(Connection, ConnectionEvent), Failure> {
    let scope = tx.scope().clone();
    let mut active_counts = [0; 2];
    for (count, party) in active_counts
        .iter_mut()
        .zip([invitation.sender(), invitation.receiver()])
    {
        tx.switch_scope(&Scope::account(&party.account)).await?;
        *count = store::count_active_connections(tx, &party.account).await?;
    }
    tx.switch_scope(&scope).await?;
    Connection::establish(id, invitation, active_counts, &api.quotas, api.clock.now())
        .map_err(status::rule_violated)
}

fn respond(api: &Api, invitation: &Invitation, connection: &Connection, own_account: &AccountId) -> Response {
    pb::AcceptConnectionInvitationResponse {
        connection_invitation: Some(convert::invitation(invitation, own_account, api.clock.now())),
        connection: Some(convert::connection(connection, own_account)),
    }
}
