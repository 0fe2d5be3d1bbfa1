//! From a person whom a token proves to a caller whose roles are known.

use std::sync::Arc;
use std::time::Duration;

use cosell_grpc::{Failure, Peer, Resolve, Retry, TokenSource};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::member_service_client::MemberServiceClient;
use cosell_store::{Db, Scope};
use cosell_types::{AccountId, ClosedList as _, Member, MemberId, Side};
use futures::FutureExt as _;
use moka::future::Cache;
use tonic::Code;

use crate::replica::{self, AccountState, Known};

/// How long what was read is taken for true. With the moments that an event needs, a change is effective everywhere
/// within two seconds (ACC-004).
const FRESH: Duration = Duration::from_secs(1);
/// Most members kept in memory.
const KEPT: u64 = 10_000;

/// Whether a service is part of the programme, whose terms a partner accepts before it is let in (DIR-003).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// It is.
    Required,
    /// It is not.
    Indifferent,
}

/// What a service knows of members.
#[derive(Clone)]
pub struct Members(Arc<Inner>);

struct Inner {
    db: Db,
    directory: Peer,
    terms: Terms,
    /// None for those whom the directory does not know either.
    fresh: Cache<(AccountId, MemberId), Option<Known>>,
}

impl Members {
    /// The replica in a service's database; `partner_url` is the directory, for those who are not in it yet.
    pub fn new(db: Db, partner_url: &str, tokens: TokenSource, terms: Terms) -> anyhow::Result<Self> {
        let fresh = Cache::builder().max_capacity(KEPT).time_to_live(FRESH).build();
        let directory = Peer::new(partner_url, tokens)?;
        Ok(Self(Arc::new(Inner {
            db,
            directory,
            terms,
            fresh,
        })))
    }

    /// How the service's edge finds out what a member may do.
    pub fn resolver(&self) -> Resolve {
        let inner = self.0.clone();
        Arc::new(move |member| {
            let inner = inner.clone();
            async move { inner.resolve(member).await }.boxed()
        })
    }
}

impl Inner {
    async fn resolve(&self, member: Member) -> Result<Member, Failure> {
        let key = (member.account.clone(), member.id.clone());
        // Of many calls of one member, one looks and the others wait for what it finds.
        let found = self.fresh.try_get_with(key, self.find(&member)).await;
        let known = found.map_err(|failure| match Arc::try_unwrap(failure) {
            Ok(failure) => failure,
            Err(shared) => Failure::unavailable(Retry::Never, shared),
        })?;
        let here = known
            .filter(|known| known.is_active && known.account.is_active && known.account.side == member.side);
        let known = here.ok_or_else(Failure::member_inactive)?;
        if self.terms == Terms::Required && member.side == Side::Partner && !known.account.terms_accepted {
            return Err(Failure::terms_not_accepted());
        }
        Ok(Member {
            roles: known.roles,
            ..member
        })
    }

    async fn find(&self, member: &Member) -> Result<Option<Known>, Failure> {
        let scope = Scope::account(&member.account);
        let mut tx = self.db.tx(&scope).await?;
        let known = replica::load(&mut tx, &member.account, &member.id).await?;
        drop(tx);
        match known {
            Some(known) => Ok(Some(known)),
            None => self.look_up(member).await,
        }
    }

    /// Asks the directory, and remembers what it says.
    async fn look_up(&self, member: &Member) -> Result<Option<Known>, Failure> {
        let question = pb::GetMemberRequest {
            member_id: member.id.to_string(),
            account_id: member.account.to_string(),
        };
        let request = self.directory.request(question)?;
        let answer = MemberServiceClient::new(self.directory.channel())
            .get_member(request)
            .await;
        let answer = match answer {
            Ok(answer) => answer.into_inner(),
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) => return Err(Failure::unavailable(Retry::Never, status)),
        };
        let (Some(found), Some(account)) = (answer.member, answer.account) else {
            return Err(Failure::internal("the directory's answer is not whole"));
        };
        let side = Side::from_number(account.side);
        let state = AccountState {
            side: side.ok_or_else(|| Failure::internal("an account of no side"))?,
            is_active: account.status() == pb::AccountStatus::Active,
            terms_accepted: account.terms_accept_time.is_some(),
            facts: replica::facts(&account.partner_types, account.tier()),
        };
        let mut tx = self.db.tx(&Scope::account(&member.account)).await?;
        let is_active = found.status() == pb::MemberStatus::Active;
        replica::upsert_account(&mut tx, &member.account, account.revision, &state).await?;
        replica::upsert_member(
            &mut tx,
            &member.account,
            &member.id,
            found.revision,
            is_active,
            &found.roles,
        )
        .await?;
        // What an event brought in the meantime is newer.
        let known = replica::load(&mut tx, &member.account, &member.id).await?;
        tx.commit().await?;
        Ok(known)
    }
}
