//! Authorization (ACC-010 to ACC-012). The caller's role decides whether an RPC is permitted; its visibility scope
//! decides which opportunities exist for it.

use cosell_types::{Caller, Member, Role, ServiceName, Side};

use super::Opportunity;
use super::values::{ReviewStatus, Visibility};

/// What a caller can do in this service. Each variant lists its RPCs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// CreateOpportunity, CloneOpportunity, ListSolutions.
    Create,
    /// GetOpportunity.
    Get,
    /// ListOpportunities.
    List,
    /// UpdateOpportunity, ChangeStage, CorrectClosedOpportunity, AddNextStep, AssignOpportunity, AssociateEntity,
    /// DisassociateEntity, TagOpportunity, UntagOpportunity.
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
    ReadForAccount,
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

/// The services that read an opportunity as its account does.
const ACCOUNT_READERS: [&str; 2] = ["collaboration", "notification"];
const REFERRAL: &str = "referral";
/// The AWS roles that update the AWS summary.
const AWS_SUMMARY_WRITERS: [Role; 2] = [Role::SalesRepresentative, Role::AccountOwner];

/// Which opportunities are visible to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisibilityScope {
    /// None.
    NoRecords,
    /// Those of its account that it owns, created or submitted.
    Own,
    /// All of its account.
    Account,
    /// Submitted ones of every account, with visibility FULL.
    FullVisibility,
    /// Submitted ones of every account.
    Submitted,
}

/// The visibility scope of the member's roles; the widest role applies.
pub fn visibility_scope(member: &Member) -> VisibilityScope {
    match member.side {
        Side::Partner if member.sees_whole_pipeline() => VisibilityScope::Account,
        Side::Partner if member.has_pipeline_role() => VisibilityScope::Own,
        Side::Aws if member.has_any_role(&[Role::Reviewer]) => VisibilityScope::Submitted,
        Side::Aws if member.has_any_role(&Role::SALES) => VisibilityScope::FullVisibility,
        _ => VisibilityScope::NoRecords,
    }
}

/// Whether the caller may call the RPCs of this action, for any opportunity.
pub fn permits(caller: &Caller, action: Action) -> bool {
    let member = match caller {
        // Collaboration reads the opportunities that partners share, and takes snapshots of them. Notification names
        // them in the notifications of their account.
        Caller::Service(name) if action == Action::ReadForAccount => {
            return ACCOUNT_READERS.contains(&name.as_str());
        }
        // Referral validates an opportunity before it offers it to partners.
        Caller::Service(name) if action == Action::CheckReferred => return name.as_str() == REFERRAL,
        // Review and notification read submitted opportunities when they receive their events.
        Caller::Service(_) => {
            return matches!(action, Action::Get | Action::StandardValues);
        }
        Caller::Member(member) => member,
    };
    let scope = visibility_scope(member);
    match action {
        Action::StandardValues => true,
        Action::CheckReferred | Action::ReadForAccount => false,
        Action::Get
        | Action::List
        | Action::AllowedActions
        | Action::Count
        | Action::Flag
        | Action::Revisions
        | Action::Diff
        | Action::GetAwsSummary => scope != VisibilityScope::NoRecords,
        Action::UpdateAwsSummary => member.has_any_role(&AWS_SUMMARY_WRITERS),
        Action::Reopen => {
            scope == VisibilityScope::Submitted
                || (member.side == Side::Aws && member.has_any_role(&[Role::AccountOwner]))
        }
        Action::Create | Action::Update | Action::Discard => {
            matches!(scope, VisibilityScope::Account | VisibilityScope::Own)
        }
        // Technical staff manage their opportunities, but do not submit them.
        Action::Submit | Action::Withdraw => {
            scope == VisibilityScope::Account
                || (scope == VisibilityScope::Own
                    && member.has_any_role(&[Role::AceUser, Role::MarketingStaff]))
        }
    }
}

/// Whether the caller is a service that acts for AWS's CRM: it reads and updates AWS summaries (OPP-053).
pub fn is_crm(caller: &Caller, crm_services: &[ServiceName]) -> bool {
    matches!(caller, Caller::Service(name) if crm_services.contains(name))
}

/// Whether the caller is a service that imports the catalogs of solutions and products (OPP-046).
pub fn can_apply_catalog(caller: &Caller, catalog_services: &[ServiceName]) -> bool {
    matches!(caller, Caller::Service(name) if catalog_services.contains(name))
}

/// Whether the opportunity is visible to the member; if not, it does not exist for the member.
pub fn is_visible(member: &Member, record: &Opportunity) -> bool {
    let submitted = record.review().status != ReviewStatus::PendingSubmission;
    match visibility_scope(member) {
        VisibilityScope::NoRecords => false,
        VisibilityScope::Account => is_own_account(member, record),
        VisibilityScope::Own => is_own_account(member, record) && record.is_own_opportunity_of(&member.id),
        VisibilityScope::Submitted => submitted,
        VisibilityScope::FullVisibility => submitted && record.visibility() == Some(Visibility::Full),
    }
}

/// Whether a past revision is visible to a member to whom the opportunity is visible now. Its partner sees all
/// revisions; AWS never sees revisions of a draft, and sales roles only those with visibility FULL.
pub fn is_revision_visible(member: &Member, past: &Opportunity) -> bool {
    is_own_account(member, past) || is_visible(member, past)
}

fn is_own_account(member: &Member, record: &Opportunity) -> bool {
    member.account == *record.account()
}
