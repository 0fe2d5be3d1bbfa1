use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::partner_service_client::PartnerServiceClient;
use cosell_store::Tx;
use cosell_types::{AccountId, ClosedList as _, MemberId, Pii, Role};
use tonic::Code;

use super::{Change, FromPartner, News};
use crate::domain::Facts;
use crate::domain::values::Kind;
use crate::store::{self, About};

/// Where a member is reached.
pub struct Reached {
    member: MemberId,
    revision: i64,
    email: Pii<String>,
}

pub async fn prepare(handler: &FromPartner, delivery: &Delivery) -> Result<Change, Fault> {
    let event: pb::MemberChanged = delivery.message()?;
    let member: MemberId = event
        .member_id
        .parse()
        .map_err(|_| Fault::permanent("member_id"))?;
    let news = news(&event, &member).map(Box::new);
    if event.status() != pb::MemberStatus::Active {
        // Who has left is reached nowhere, and the address is not kept.
        let reached = Reached {
            member,
            revision: event.revision,
            email: Pii::default(),
        };
        let reached = Some(reached);
        return Ok(Change { reached, news });
    }
    let reached = look_up(handler, event, member).await?;
    Ok(Change { reached, news })
}

/// What the event is news of, and to whom.
fn news(event: &pb::MemberChanged, member: &MemberId) -> Option<News> {
    let kind = match event.change() {
        pb::MemberChange::Roles => Kind::RolesChanged,
        pb::MemberChange::Deactivated => Kind::MemberLeft,
        _ => return None,
    };
    let roles = event.roles.iter().filter_map(|number| Role::from_number(*number));
    let roles: Vec<_> = roles.map(|role| role.name()).collect();
    let facts = Facts {
        roles: roles.join(", "),
        member: member.to_string(),
        ..Facts::default()
    };
    Some(News {
        kind,
        about: About::default(),
        own_of: vec![member.clone()],
        contacts: Vec::new(),
        reviewer: None,
        facts,
    })
}

/// The address is not in the event, because it is personal; it is read where it is kept, as it is now.
async fn look_up(
    handler: &FromPartner,
    event: pb::MemberChanged,
    member: MemberId,
) -> Result<Option<Reached>, Fault> {
    let question = pb::GetMemberRequest {
        member_id: event.member_id,
        account_id: event.account_id,
    };
    let request = handler.directory.request(question)?;
    let answer = PartnerServiceClient::new(handler.directory.channel())
        .get_member(request)
        .await;
    let found = match answer {
        Ok(answer) => answer.into_inner().member,
        // Nobody is to be reached there.
        Err(status) if status.code() == Code::NotFound => None,
        Err(status) => return Err(Fault::from_status(&status)),
    };
    Ok(found.map(|found| Reached {
        member,
        revision: found.revision,
        email: found.person.unwrap_or_default().email.into(),
    }))
}

pub async fn apply(tx: &mut Tx, account: &AccountId, reached: Reached) -> Result<(), Fault> {
    let Reached {
        member,
        revision,
        email,
    } = reached;
    Ok(store::reach(tx, account, &member, revision, &email).await?)
}
