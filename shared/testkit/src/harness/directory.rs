use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use cosell_proto::cosell::partner::v1 as pb;
use cosell_types::{Caller, ClosedList as _};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use prost_types::Timestamp;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::Service;

/// A stub of the directory, in which the service under test looks up members that its replica lacks.
#[derive(Clone, Debug, Default)]
pub struct Directory(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    members: HashMap<(String, String), pb::GetMemberResponse>,
    /// First and last names by account and member.
    member_names: HashMap<(String, String), (String, String)>,
    account_names: HashMap<String, String>,
    partner_types: HashMap<String, pb::PartnerType>,
    lookups: usize,
    is_unavailable: bool,
}

impl State {
    /// The name that was set, otherwise one with the id.
    fn display_name(&self, account: &str) -> String {
        let name = self.account_names.get(account).cloned();
        name.unwrap_or_else(|| format!("Company {account}"))
    }
}

impl Directory {
    /// Starts the stub, which answers `GetMember` of authenticated callers, `GetAccount` and `GetConnectionInvitation`.
    /// Returns its address; it runs until the end of the test.
    pub async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tonic::transport::Server::builder()
            .add_service(Named::<0>(self.clone()))
            .add_service(Named::<1>(self.clone()))
            .add_service(Named::<2>(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        address
    }

    /// Sets the display name of an account.
    pub fn name_account(&self, account: &str, display_name: &str) {
        let (account, name) = (account.to_owned(), display_name.to_owned());
        self.state().account_names.insert(account, name);
    }

    /// Sets the partner type that an account has from the next [`Directory::add_member`] on.
    pub fn set_partner_type(&self, account: &str, kind: pb::PartnerType) {
        self.state().partner_types.insert(account.to_owned(), kind);
    }

    /// Sets the name that a member has from the next [`Directory::add_member`] on.
    pub fn name_member(&self, account: &str, member: &str, first_name: &str, last_name: &str) {
        let key = (account.to_owned(), member.to_owned());
        let name = (first_name.to_owned(), last_name.to_owned());
        self.state().member_names.insert(key, name);
    }

    /// Adds a caller as an active member of an active account that has accepted the terms. Ignores services.
    pub fn add_member(&self, caller: &Caller) {
        let Caller::Member(member) = caller else { return };
        let key = (member.account.to_string(), member.id.to_string());
        let (first_name, last_name) = self.state().member_names.get(&key).cloned().unwrap_or_default();
        let partner_type = self.state().partner_types.get(&key.0).copied();
        let account = pb::Account {
            display_name: self.state().display_name(&key.0),
            partner_types: partner_type.into_iter().map(Into::into).collect(),
            account_id: member.account.to_string(),
            revision: 1,
            side: member.side.number(),
            status: pb::AccountStatus::Active.into(),
            terms_accept_time: Some(Timestamp::default()),
            ..Default::default()
        };
        let member = pb::Member {
            member_id: member.id.to_string(),
            account_id: member.account.to_string(),
            revision: 1,
            status: pb::MemberStatus::Active.into(),
            roles: member.roles.iter().map(|role| role.number()).collect(),
            sees_all_opportunities: member.sees_all_opportunities,
            person: Some(pb::Person {
                email: format!("{}@example.com", member.id),
                first_name,
                last_name,
                ..Default::default()
            }),
            ..Default::default()
        };
        self.set_response(pb::GetMemberResponse {
            member: Some(member),
            account: Some(account),
        });
    }

    /// Sets the response for the member that it contains.
    pub fn set_response(&self, response: pb::GetMemberResponse) {
        let member = response.member.clone().unwrap_or_default();
        let key = (member.account_id, member.member_id);
        self.state().members.insert(key, response);
    }

    /// Makes the directory unavailable.
    pub fn make_unavailable(&self) {
        self.state().is_unavailable = true;
    }

    /// The number of lookups so far.
    pub fn lookup_count(&self) -> usize {
        self.state().lookups
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnaryService<pb::GetMemberRequest> for Directory {
    type Response = pb::GetMemberResponse;
    type Future = BoxFuture<'static, Result<Response<pb::GetMemberResponse>, Status>>;

    fn call(&mut self, request: Request<pb::GetMemberRequest>) -> Self::Future {
        let mut state = self.state();
        state.lookups += 1;
        let response = if state.is_unavailable {
            Err(Status::new(
                tonic::Code::Unavailable,
                "the directory stub is unavailable",
            ))
        } else if request.metadata().contains_key("authorization") {
            let request = request.into_inner();
            let response = state.members.get(&(request.account_id, request.member_id));
            response
                .cloned()
                .ok_or_else(|| Status::new(tonic::Code::NotFound, "no such member"))
        } else {
            Err(Status::new(
                tonic::Code::Unauthenticated,
                "the caller has no token",
            ))
        };
        async move { response.map(Response::new) }.boxed()
    }
}

/// Returns an invitation for any id, unless it contains `unknown`.
struct Invitations;

impl UnaryService<pb::GetConnectionInvitationRequest> for Invitations {
    type Response = pb::GetConnectionInvitationResponse;
    type Future = BoxFuture<'static, Result<Response<pb::GetConnectionInvitationResponse>, Status>>;

    fn call(&mut self, request: Request<pb::GetConnectionInvitationRequest>) -> Self::Future {
        let id = request.into_inner().connection_invitation_id;
        if id.contains("unknown") {
            let status = Status::new(tonic::Code::NotFound, "no such invitation");
            return async move { Err(status) }.boxed();
        }
        let invitation = pb::ConnectionInvitation {
            connection_invitation_id: id,
            other_company_name: "Birch".to_owned(),
            inviter_name: "Jane Roe".to_owned(),
            inviter_email: "jane@birch.example".to_owned(),
            message: "Let us work together".to_owned(),
            rejection_reason: "Not now".to_owned(),
            // 2026-03-20 09:00 UTC.
            expire_time: Some(Timestamp {
                seconds: 1_773_997_200,
                nanos: 0,
            }),
            ..Default::default()
        };
        let response = pb::GetConnectionInvitationResponse {
            connection_invitation: Some(invitation),
        };
        async move { Ok(Response::new(response)) }.boxed()
    }
}

/// Returns an account for any id.
struct Accounts(Directory);

impl UnaryService<pb::GetAccountRequest> for Accounts {
    type Response = pb::GetAccountResponse;
    type Future = BoxFuture<'static, Result<Response<pb::GetAccountResponse>, Status>>;

    fn call(&mut self, request: Request<pb::GetAccountRequest>) -> Self::Future {
        let account_id = request.into_inner().account_id;
        let account = pb::Account {
            display_name: self.0.state().display_name(&account_id),
            account_id,
            ..Default::default()
        };
        let response = pb::GetAccountResponse {
            account: Some(account),
        };
        async move { Ok(Response::new(response)) }.boxed()
    }
}

/// The stub under the name of one of the directory's gRPC services. It serves `GetMember`, `GetAccount` and
/// `GetConnectionInvitation`.
#[derive(Clone)]
struct Named<const N: usize>(Directory);

impl NamedService for Named<0> {
    const NAME: &'static str = "cosell.partner.v1.MemberService";
}

impl NamedService for Named<1> {
    const NAME: &'static str = "cosell.partner.v1.AccountService";
}

impl NamedService for Named<2> {
    const NAME: &'static str = "cosell.partner.v1.ConnectionService";
}

impl<const N: usize> Service<http::Request<Body>> for Named<N> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let directory = self.0.clone();
        async move {
            if request.uri().path().ends_with("/GetAccount") {
                Ok(Grpc::new(ProstCodec::default())
                    .unary(Accounts(directory), request)
                    .await)
            } else if request.uri().path().ends_with("/GetConnectionInvitation") {
                Ok(Grpc::new(ProstCodec::default()).unary(Invitations, request).await)
            } else {
                Ok(Grpc::new(ProstCodec::default()).unary(directory, request).await)
            }
        }
        .boxed()
    }
}
