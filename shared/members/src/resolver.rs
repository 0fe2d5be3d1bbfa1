//! Resolves the roles of authenticated members.

use std::sync::Arc;
use std::time::Duration;

use cosell_grpc::{Failure, MemberResolver, Peer, Retry, TokenSource};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::member_service_client::MemberServiceClient;
use cosell_store::{Db, Scope};
use cosell_types::{AccountId, ClosedList as _, Member, MemberId, Side};
use futures::FutureExt as _;
use moka::future::Cache;
use tonic::Code;

use crate::replica::{self, AccountState, MemberAccess, MemberState};

/// Time to live of cached members. Together with the latency of events, a change is effective everywhere within two
/// seconds (ACC-004).
const CACHE_TTL: Duration = Duration::from_secs(1);
/// Maximum number of cached members.
const CACHE_CAPACITY: u64 = 10_000;

/// Whether a service refuses partners that have not accepted the terms of the program (DIR-003).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// The terms must be accepted.
    Required,
    /// The terms are not checked.
    NotRequired,
}

/// Resolves members by the replica in a service's database and, for members that it lacks, the directory.
#[derive(Clone)]
pub struct Members(Arc<Inner>);

struct Inner {
    db: Db,
    directory: Peer,
    terms: Terms,
    /// `None` for members that the directory does not have either.
    cache: Cache<(AccountId, MemberId), Option<MemberState>>,
}

impl Members {
    /// `db` has the replica; `partner_url` is the address of the directory, for members that the replica lacks.
    pub fn new(db: Db, partner_url: &str, tokens: TokenSource, terms: Terms) -> anyhow::Result<Self> {
        let cache = Cache::builder()
            .max_capacity(CACHE_CAPACITY)
            .time_to_live(CACHE_TTL)
            .build();
        let directory = Peer::new(partner_url, tokens)?;
        Ok(Self(Arc::new(Inner {
            db,
            directory,
            terms,
            cache,
        })))
    }

    /// The function that the edge calls to resolve a member.
    pub fn resolver(&self) -> MemberResolver {
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
        // Of concurrent calls of one member, one loads it and the others wait for the result.
        let loaded = self.cache.try_get_with(key, self.find(&member)).await;
        let state = loaded.map_err(|failure| match Arc::try_unwrap(failure) {
            Ok(failure) => failure,
            Err(shared) => match shared.code() {
                Code::ResourceExhausted => Failure::overloaded(),
                Code::DeadlineExceeded => Failure::deadline_exceeded(),
                _ => Failure::unavailable(Retry::Never, shared),
            },
        })?;
        let active = state.filter(|state| {
            state.access.is_active && state.account.is_active && state.account.side == member.side
        });
        let state = active.ok_or_else(Failure::member_inactive)?;
        if self.terms == Terms::Required && member.side == Side::Partner && !state.account.terms_accepted {
            return Err(Failure::terms_not_accepted());
        }
        Ok(Member {
            roles: state.access.roles,
            sees_all_opportunities: state.access.sees_all_opportunities,
            ..member
        })
    }

    async fn find(&self, member: &Member) -> Result<Option<MemberState>, Failure> {
        let scope = Scope::account(&member.account).in_class(member.class());
        let mut tx = self.db.tx(&scope).await?;
        let state = replica::load(&mut tx, &member.account, &member.id).await?;
        drop(tx);
        match state {
            Some(state) => Ok(Some(state)),
            None => self.fetch(member).await,
        }
    }

    /// Fetches a member from the directory and stores it in the replica.
    async fn fetch(&self, member: &Member) -> Result<Option<MemberState>, Failure> {
        let message = pb::GetMemberRequest {
            member_id: member.id.to_string(),
            account_id: member.account.to_string(),
        };
        let request = self.directory.request(message)?;
        let response = MemberServiceClient::new(self.directory.channel())
            .get_member(request)
            .await;
        let response = match response {
            Ok(response) => response.into_inner(),
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) => return Err(Failure::unavailable(Retry::Never, status)),
        };
        let (Some(fetched), Some(account)) = (response.member, response.account) else {
            return Err(Failure::internal("the response of the directory is incomplete"));
        };
        let side = Side::from_number(account.side);
        let account_state = AccountState {
            side: side.ok_or_else(|| Failure::internal("the account has an unknown side"))?,
            is_active: account.status() == pb::AccountStatus::Active,
            terms_accepted: account.terms_accept_time.is_some(),
            facts: replica::facts(&account.partner_types, account.tier()),
        };
        let mut tx = self
            .db
            .tx(&Scope::account(&member.account).in_class(member.class()))
            .await?;
        let access = MemberAccess::new(
            fetched.status() == pb::MemberStatus::Active,
            &fetched.roles,
            fetched.sees_all_opportunities,
        );
        replica::upsert_account(&mut tx, &member.account, account.revision, &account_state).await?;
        replica::upsert_member(&mut tx, &member.account, &member.id, fetched.revision, &access).await?;
        // An event may have stored a newer revision concurrently.
        let state = replica::load(&mut tx, &member.account, &member.id).await?;
        tx.commit().await?;
        Ok(state)
    }
}
