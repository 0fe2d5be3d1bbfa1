use cosell_grpc::Issuer;
use cosell_types::{Caller, Member, Role, Side};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A member of a partner.
pub fn partner(id: &str, account: &str, role: Role) -> Caller {
    member(id, account, Side::Partner, &[role])
}

/// A member of AWS.
pub fn aws(id: &str, role: Role) -> Caller {
    member(id, "999999999999", Side::Aws, &[role])
}

/// A member with any roles.
pub fn member(id: &str, account: &str, side: Side, roles: &[Role]) -> Caller {
    let id = id.parse().expect("a member id");
    let account = account.parse().expect("an account id");
    Caller::Member(Member {
        id,
        account,
        side,
        roles: roles.to_vec(),
    })
}

/// A service.
pub fn service(name: &str) -> Caller {
    Caller::Service(name.parse().expect("a service name"))
}

/// Adds a caller's token to each call.
#[derive(Clone, Debug, Default)]
pub struct Client {
    token: Option<MetadataValue<Ascii>>,
    taken_for: Option<MetadataValue<Ascii>>,
}

impl Client {
    /// The calls of a caller; without one, calls without a token.
    pub fn new(issuer: &Issuer, caller: Option<&Caller>) -> Self {
        let token = caller.map(|caller| issuer.token(caller).expect("a token"));
        token.map_or_else(Self::default, |token| Self::with_token(&token))
    }

    /// Calls with any token.
    pub fn with_token(token: &str) -> Self {
        Self {
            token: Some(format!("Bearer {token}").parse().expect("a header")),
            taken_for: None,
        }
    }

    /// Has the service take the caller for somebody else, in the build with faults put in.
    pub fn taken_for(mut self, whom: &str) -> Self {
        self.taken_for = Some(whom.parse().expect("a header"));
        self
    }

    /// The channel with the token.
    pub fn over(self, channel: Channel) -> InterceptedService<Channel, Client> {
        InterceptedService::new(channel, self)
    }
}

impl Interceptor for Client {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let headers = [
            ("authorization", &self.token),
            ("x-sabotage-caller", &self.taken_for),
        ];
        for (name, value) in headers {
            if let Some(value) = value {
                request.metadata_mut().insert(name, value.clone());
            }
        }
        Ok(request)
    }
}
