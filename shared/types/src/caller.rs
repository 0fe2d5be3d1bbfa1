use crate::{AccountId, MemberId, Role, ServiceName, closed_list};

/// The authenticated caller of an RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A member of a partner account or of the AWS account.
    Member(Member),
    /// Another service of the platform, which acts for itself.
    Service(ServiceName),
}

/// A member of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The `sub` of the member's tokens.
    pub id: MemberId,
    /// The account that the member belongs to.
    pub account: AccountId,
    /// The side of the account.
    pub side: Side,
    /// The roles in the account; empty until the directory has resolved them.
    pub roles: Vec<Role>,
    /// Whether the directory lets the member see all opportunities of its account; false until the directory has
    /// resolved the member. It considers roles and the option on marketing staff (ACC-013), but
    /// [`Self::sees_whole_pipeline`] also decides by the roles, because events of earlier releases do not state it.
    pub sees_all_opportunities: bool,
}

closed_list! {
    /// The two sides of co-selling.
    Side {
        /// A partner account.
        Partner = 1 "PARTNER" "",
        /// The AWS account of the installation, whose members review, refer and co-sell.
        Aws = 2 "AWS" "",
    }
}

/// The callers that share a portion of the service's capacity. No class can use that of another (PLT-015).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CallerClass {
    /// The members of one partner account.
    Partner(AccountId),
    /// The members of the AWS account.
    Aws,
    /// The services of the platform.
    Service,
}

impl Member {
    /// The class of the member.
    pub fn class(&self) -> CallerClass {
        match self.side {
            Side::Partner => CallerClass::Partner(self.account.clone()),
            Side::Aws => CallerClass::Aws,
        }
    }

    /// The account to which the visibility scope of a partner member is limited; `None` for AWS members.
    pub fn own_account(&self) -> Option<&AccountId> {
        (self.side == Side::Partner).then_some(&self.account)
    }

    /// Whether the member is of a partner and sees all records of its account: by one of its roles, or as marketing
    /// staff whom the directory lets see them (ACC-011, ACC-013). False for AWS members.
    pub fn sees_whole_pipeline(&self) -> bool {
        self.side == Side::Partner
            && (self.sees_all_opportunities || self.has_any_role(&Role::WHOLE_PIPELINE))
    }

    /// Whether the member is of a partner and has access to records of its account: to all of them, or only to its own
    /// (ACC-010). False for AWS members.
    pub fn has_pipeline_role(&self) -> bool {
        self.sees_whole_pipeline() || (self.side == Side::Partner && self.has_any_role(&Role::OWN_RECORDS))
    }

    /// Whether the member has at least one of these roles.
    pub fn has_any_role(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }
}

impl Caller {
    /// The member's account; `None` for a service.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Caller::Member(member) => Some(&member.account),
            Caller::Service(_) => None,
        }
    }

    /// The class of the caller.
    pub fn class(&self) -> CallerClass {
        match self {
            Caller::Member(member) => member.class(),
            Caller::Service(_) => CallerClass::Service,
        }
    }

    /// The caller's name in events, audit rows and logs: the member id, or `service:` and a name.
    pub fn actor(&self) -> String {
        match self {
            Caller::Member(member) => member.id.to_string(),
            Caller::Service(name) => format!("service:{name}"),
        }
    }
}
