use cosell_grpc::Issuer;
use cosell_types::{Caller, Member, Role, Side};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A member of a partner account, with one role.
pub fn partner(id: &str, account: &str, role: Role) -> Caller {
    member(id, account, Side::Partner, &[role])
}

/// A member of the AWS account, with one role.
pub fn aws(id: &str, role: Role) -> Caller {
    member(id, "999999999999", Side::Aws, &[role])
}

/// A member with any side and roles.
pub fn member(id: &str, account: &str, side: Side, roles: &[Role]) -> Caller {
    let id = id.parse().expect("a member id");
    let account = account.parse().expect("an account id");
    Caller::Member(Member {
        id,
        account,
        side,
        roles: roles.to_vec(),
        sees_all_opportunities: false,
    })
}

/// A member whom the directory lets see all opportunities of its account.
pub fn seeing_all(mut caller: Caller) -> Caller {
    if let Caller::Member(member) = &mut caller {
        member.sees_all_opportunities = true;
    }
    caller
}

/// A service of the platform.
pub fn service(name: &str) -> Caller {
    Caller::Service(name.parse().expect("a service name"))
}

/// An interceptor that adds a caller's token to each call.
#[derive(Clone, Debug, Default)]
pub struct Client {
    token: Option<MetadataValue<Ascii>>,
    impersonated: Option<MetadataValue<Ascii>>,
}

impl Client {
    /// Creates the interceptor of a caller; without a caller it adds no token.
    pub fn new(issuer: &Issuer, caller: Option<&Caller>) -> Self {
        let token = caller.map(|caller| issuer.token(caller).expect("a token"));
        token.map_or_else(Self::default, |token| Self::with_token(&token))
    }

    /// Creates an interceptor with any token.
    pub fn with_token(token: &str) -> Self {
        Self {
            token: Some(format!("Bearer {token}").parse().expect("a header")),
            impersonated: None,
        }
    }

    /// Impersonates another caller, in the fault-injection build.
    pub fn impersonating(mut self, caller: &str) -> Self {
        self.impersonated = Some(caller.parse().expect("a header"));
        self
    }

    /// Wraps a channel with the interceptor.
    pub fn with_channel(self, channel: Channel) -> InterceptedService<Channel, Client> {
        InterceptedService::new(channel, self)
    }
}

impl Interceptor for Client {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let headers = [
            ("authorization", &self.token),
            ("x-sabotage-caller", &self.impersonated),
        ];
        for (name, value) in headers {
            if let Some(value) = value {
                request.metadata_mut().insert(name, value.clone());
            }
        }
        Ok(request)
    }
}
