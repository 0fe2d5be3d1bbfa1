use crate::{AccountId, MemberId, Role, ServiceName, closed_list};

/// Who makes a call, as far as the token proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A person working for a partner or for AWS.
    Member(Member),
    /// Another service of this platform, acting on its own.
    Service(ServiceName),
}

/// A person working for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub id: MemberId,
    /// The account it works for.
    pub account: AccountId,
    /// Whether that account is a partner or AWS.
    pub side: Side,
    /// What it may do there.
    pub roles: Vec<Role>,
}

closed_list! {
    /// The two sides of co-selling.
    Side {
        /// A partner company.
        Partner = 1 "PARTNER" "",
        /// The platform's owner, who reviews, refers and co-sells.
        Aws = 2 "AWS" "",
    }
}

impl Member {
    /// The account whose records alone the member reaches; none for AWS, which works with those of many.
    pub fn own_account(&self) -> Option<&AccountId> {
        (self.side == Side::Partner).then_some(&self.account)
    }

    /// Whether the member has at least one of these roles.
    pub fn has_any(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }
}

impl Caller {
    /// The account the caller works for; a service works for none.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Caller::Member(member) => Some(&member.account),
            Caller::Service(_) => None,
        }
    }

    /// How the caller is named in events, audit rows and logs.
    pub fn actor(&self) -> String {
        match self {
            Caller::Member(member) => member.id.to_string(),
            Caller::Service(name) => format!("service:{name}"),
        }
    }
}
