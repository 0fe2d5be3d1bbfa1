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

/// Stands in for the directory where a service under test looks members up that it does not know yet: it knows whoever
/// was let in.
#[derive(Clone, Debug, Default)]
pub struct Directory(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    members: HashMap<(String, String), pb::GetMemberResponse>,
    asked: usize,
    is_away: bool,
}

impl Directory {
    /// Answers `GetMember`, to whoever has a token; returns the address, at which it listens as long as the test runs.
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

    /// Lets somebody in: an active member with these roles, of an active account that has accepted the terms.
    pub fn admit(&self, caller: &Caller) {
        let Caller::Member(member) = caller else { return };
        let account = pb::Account {
            account_id: member.account.to_string(),
            revision: 1,
            side: member.side.number(),
            status: pb::AccountStatus::Active.into(),
            terms_accept_time: Some(Timestamp::default()),
            ..Default::default()
        };
        let found = pb::Member {
            member_id: member.id.to_string(),
            account_id: member.account.to_string(),
            revision: 1,
            status: pb::MemberStatus::Active.into(),
            roles: member.roles.iter().map(|role| role.number()).collect(),
            person: Some(pb::Person {
                email: format!("{}@example.com", member.id),
                ..Default::default()
            }),
            ..Default::default()
        };
        self.know(pb::GetMemberResponse {
            member: Some(found),
            account: Some(account),
        });
    }

    /// Answers like this for its member from now on.
    pub fn know(&self, answer: pb::GetMemberResponse) {
        let member = answer.member.clone().unwrap_or_default();
        let key = (member.account_id, member.member_id);
        self.state().members.insert(key, answer);
    }

    /// Answers nobody any more.
    pub fn leave(&self) {
        self.state().is_away = true;
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.state().asked
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
        state.asked += 1;
        let answer = if state.is_away {
            Err(Status::new(tonic::Code::Unavailable, "away"))
        } else if request.metadata().contains_key("authorization") {
            let asked = request.into_inner();
            let found = state.members.get(&(asked.account_id, asked.member_id));
            found
                .cloned()
                .ok_or_else(|| Status::new(tonic::Code::NotFound, "nobody"))
        } else {
            Err(Status::new(tonic::Code::Unauthenticated, "a service has a token"))
        };
        async move { answer.map(Response::new) }.boxed()
    }
}

/// Knows every invitation.
struct Invitations;

impl UnaryService<pb::GetConnectionInvitationRequest> for Invitations {
    type Response = pb::GetConnectionInvitationResponse;
    type Future = BoxFuture<'static, Result<Response<pb::GetConnectionInvitationResponse>, Status>>;

    fn call(&mut self, request: Request<pb::GetConnectionInvitationRequest>) -> Self::Future {
        let invitation = pb::ConnectionInvitation {
            connection_invitation_id: request.into_inner().connection_invitation_id,
            other_company_name: "Birch".to_owned(),
            inviter_name: "Jane Roe".to_owned(),
            inviter_email: "jane@birch.example".to_owned(),
            message: "Let us work together".to_owned(),
            rejection_reason: "Not now".to_owned(),
            ..Default::default()
        };
        let answer = pb::GetConnectionInvitationResponse {
            connection_invitation: Some(invitation),
        };
        async move { Ok(Response::new(answer)) }.boxed()
    }
}

/// Knows every account, which is called after its id.
struct Accounts;

impl UnaryService<pb::GetAccountRequest> for Accounts {
    type Response = pb::GetAccountResponse;
    type Future = BoxFuture<'static, Result<Response<pb::GetAccountResponse>, Status>>;

    fn call(&mut self, request: Request<pb::GetAccountRequest>) -> Self::Future {
        let account_id = request.into_inner().account_id;
        let account = pb::Account {
            display_name: format!("Company {account_id}"),
            account_id,
            ..Default::default()
        };
        let answer = pb::GetAccountResponse {
            account: Some(account),
        };
        async move { Ok(Response::new(answer)) }.boxed()
    }
}

/// The directory under the name of one of its gRPC services: members, and accounts and invitations, of which it makes up
/// what is asked for. Nothing else is asked of a stand-in.
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
                Ok(Grpc::new(ProstCodec::default()).unary(Accounts, request).await)
            } else if request.uri().path().ends_with("/GetConnectionInvitation") {
                Ok(Grpc::new(ProstCodec::default()).unary(Invitations, request).await)
            } else {
                Ok(Grpc::new(ProstCodec::default()).unary(directory, request).await)
            }
        }
        .boxed()
    }
}
