use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::member_service_client::MemberServiceClient;
use cosell_store::Tx;
use cosell_types::{AccountId, ClosedList as _, MemberId, Pii, Role};
use tonic::Code;

use super::{Change, FromPartner, News};
use crate::domain::values::Kind;
use crate::domain::{Contact, Facts};
use crate::store::{self, About};

/// Where a member is reached.
pub struct Reached {
    member: MemberId,
    revision: i64,
    email: Pii<String>,
}

pub async fn prepare(
    handler: &FromPartner,
    delivery: &Delivery,
    event: pb::MemberEventDetail,
) -> Result<Change, Fault> {
    let member: MemberId = event
        .member_id
        .parse()
        .map_err(|_| Fault::permanent("member_id"))?;
    if delivery.is::<pb::MemberInvited>() {
        return invited(handler, event, member).await;
    }
    let news = news(delivery, &event, &member).map(Box::new);
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
    let found = find(handler, event).await?;
    let reached = found.map(|(found, _)| Reached {
        member,
        revision: found.revision,
        email: found.person.unwrap_or_default().email.into(),
    });
    Ok(Change { reached, news })
}

/// Tells a person that it was asked to join. Its address is not kept: it is no member yet.
async fn invited(
    handler: &FromPartner,
    event: pb::MemberEventDetail,
    member: MemberId,
) -> Result<Change, Fault> {
    let reached = Reached {
        member: member.clone(),
        revision: event.revision,
        email: Pii::default(),
    };
    let roles = names(&event.roles);
    let Some((found, company)) = find(handler, event).await? else {
        return Ok(Change {
            reached: Some(reached),
            news: None,
        });
    };
    let facts = Facts {
        roles,
        member: member.to_string(),
        company,
        ..Facts::default()
    };
    let news = News {
        kind: Kind::MemberInvited,
        about: About::default(),
        own_of: Vec::new(),
        contacts: vec![Contact {
            email: found.person.unwrap_or_default().email.into(),
        }],
        reviewer: None,
        facts,
    };
    Ok(Change {
        reached: Some(reached),
        news: Some(Box::new(news)),
    })
}

/// Roles, in words.
fn names(roles: &[i32]) -> String {
    let roles = roles.iter().filter_map(|number| Role::from_number(*number));
    roles.map(|role| role.name()).collect::<Vec<_>>().join(", ")
}

/// What the event is news of, and to whom.
fn news(delivery: &Delivery, event: &pb::MemberEventDetail, member: &MemberId) -> Option<News> {
    let kind = if delivery.is::<pb::MemberRolesChanged>() {
        Kind::RolesChanged
    } else if delivery.is::<pb::MemberDeactivated>() {
        Kind::MemberDeactivated
    } else {
        return None;
    };
    let facts = Facts {
        roles: names(&event.roles),
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

/// The member as the directory has it now, with the name of its company; none when it is not there. The address is not
/// in the event, because it is personal.
async fn find(
    handler: &FromPartner,
    event: pb::MemberEventDetail,
) -> Result<Option<(pb::Member, String)>, Fault> {
    let question = pb::GetMemberRequest {
        member_id: event.member_id,
        account_id: event.account_id,
    };
    let request = handler.directory.request(question)?;
    let answer = MemberServiceClient::new(handler.directory.channel())
        .get_member(request)
        .await;
    match answer {
        Ok(answer) => {
            let answer = answer.into_inner();
            let company = answer.account.unwrap_or_default().display_name;
            Ok(answer.member.map(|member| (member, company)))
        }
        // Nobody is to be reached there.
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(Fault::from_status(&status)),
    }
}

pub async fn apply(tx: &mut Tx, account: &AccountId, reached: Reached) -> Result<(), Fault> {
    let Reached {
        member,
        revision,
        email,
    } = reached;
    Ok(store::reach(tx, account, &member, revision, &email).await?)
}
