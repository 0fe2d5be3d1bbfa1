//! Who may do what (ACC-010 to ACC-012). The role decides whether a call may be made at all; the record decides
//! whether the caller learns that it exists.

use cosell_types::{Caller, Member, Role, ServiceName, Side};

use super::Opportunity;
use super::values::{ReviewStatus, Visibility};

/// What can be asked of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// CreateOpportunity, CloneOpportunity, ListSolutions.
    Create,
    /// GetOpportunity.
    Get,
    /// ListOpportunities.
    List,
    /// UpdateOpportunity, ChangeStage, AddNextStep, AssignOpportunity, AssociateEntity, DisassociateEntity,
    /// TagOpportunity, UntagOpportunity.
    Update,
    /// SubmitOpportunity.
    Submit,
    /// WithdrawSubmission.
    Withdraw,
    /// DiscardDraft.
    Discard,
    /// GetAllowedActions, ListNextSteps.
    AllowedActions,
    /// ListStandardValues, ListProducts.
    StandardValues,
    /// CheckReferredOpportunity.
    CheckReferred,
    /// GetOpportunityForAccount.
    ForAccount,
    /// GetAwsOpportunitySummary.
    GetAwsSummary,
    /// UpdateAwsOpportunitySummary.
    UpdateAwsSummary,
    /// ReopenOpportunity.
    Reopen,
    /// CountOpportunities.
    Count,
    /// FlagOpportunity.
    Flag,
    /// ListRevisions.
    Revisions,
    /// DiffRevisions.
    Diff,
}

/// The service that shares opportunities.
const COLLABORATION: &str = "collaboration";
const REFERRAL: &str = "referral";
/// AWS roles that speak for AWS about a deal.
const SELLERS: [Role; 2] = [Role::SalesRepresentative, Role::AccountOwner];

/// Which records a member can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// None.
    Nothing,
    /// Those it owns, created or submitted, of its account.
    Own,
    /// All of its account.
    Account,
    /// Submitted ones of every account with full visibility.
    FullVisibility,
    /// Submitted ones of every account.
    Submitted,
}

/// Which records a member's roles let it see; the widest of them counts.
pub fn reach(member: &Member) -> Reach {
    match member.side {
        Side::Partner if member.has_any(&Role::WHOLE_PIPELINE) => Reach::Account,
        Side::Partner if member.has_any(&Role::OWN_RECORDS) => Reach::Own,
        Side::Aws if member.has_any(&[Role::Reviewer]) => Reach::Submitted,
        Side::Aws if member.has_any(&Role::SALES) => Reach::FullVisibility,
        _ => Reach::Nothing,
    }
}

/// Whether the caller may make the call at all, whatever the record.
pub fn permits(caller: &Caller, action: Action) -> bool {
    let member = match caller {
        // Collaboration reads what it is asked to share, and copies of it.
        Caller::Service(name) if action == Action::ForAccount => return name.as_str() == COLLABORATION,
        // Referral asks before it offers an opportunity to partners.
        Caller::Service(name) if action == Action::CheckReferred => return name.as_str() == REFERRAL,
        // Review and notification read what was submitted when they are told of it.
        Caller::Service(_) => {
            return matches!(action, Action::Get | Action::StandardValues);
        }
        Caller::Member(member) => member,
    };
    let reach = reach(member);
    match action {
        Action::StandardValues => true,
        Action::CheckReferred | Action::ForAccount => false,
        Action::Get
        | Action::List
        | Action::AllowedActions
        | Action::Count
        | Action::Flag
        | Action::Revisions
        | Action::Diff
        | Action::GetAwsSummary => reach != Reach::Nothing,
        Action::UpdateAwsSummary => member.has_any(&SELLERS),
        Action::Reopen => {
            reach == Reach::Submitted || (member.side == Side::Aws && member.has_any(&[Role::AccountOwner]))
        }
        Action::Create | Action::Update | Action::Discard => matches!(reach, Reach::Account | Reach::Own),
        // Technical staff manage their records, but do not hand them to AWS.
        Action::Submit | Action::Withdraw => {
            reach == Reach::Account || (reach == Reach::Own && member.has_any(&[Role::AceUser]))
        }
    }
}

/// Whether the caller is AWS's own customer relationship management: a service that is named for it, which reads and
/// writes the AWS summary of opportunities (OPP-053).
pub fn is_crm(caller: &Caller, named: &[ServiceName]) -> bool {
    matches!(caller, Caller::Service(name) if named.contains(name))
}

/// Whether the caller is one of the services that keep the catalogues of solutions and products (OPP-046).
pub fn keeps_catalog(caller: &Caller, keepers: &[ServiceName]) -> bool {
    matches!(caller, Caller::Service(name) if keepers.contains(name))
}

/// Whether the member may see the record; if not, it does not exist for it.
pub fn sees(member: &Member, record: &Opportunity) -> bool {
    let submitted = record.review().status != ReviewStatus::PendingSubmission;
    match reach(member) {
        Reach::Nothing => false,
        Reach::Account => is_own_account(member, record),
        Reach::Own => is_own_account(member, record) && record.is_own_of(&member.id),
        Reach::Submitted => submitted,
        Reach::FullVisibility => submitted && record.visibility() == Some(Visibility::Full),
    }
}

/// Whether the member may see a revision of a record that it sees now. A partner sees all of them; AWS never learns what
/// a draft said before it was submitted, nor its sales what was not for them then.
pub fn sees_revision(member: &Member, past: &Opportunity) -> bool {
    is_own_account(member, past) || sees(member, past)
}

fn is_own_account(member: &Member, record: &Opportunity) -> bool {
    member.account == *record.account()
}
