//! Every field that a partner can change after creation, and when (OPP-040).

use super::Details;
use super::situation::Situation;
use super::values::{InvolvementType, ReviewStatus, Stage};

/// Where, besides in a draft, a field is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    /// In ACTION_REQUIRED.
    ActionRequired,
    /// In APPROVED while the deal is open.
    Approved,
    /// In APPROVED while the deal is open and AWS is only informed: what turns it into co-sell (OPP-027).
    ApprovedForVisibility,
    /// In APPROVED after LAUNCHED.
    Launched,
}
use Open::{ActionRequired, Approved, ApprovedForVisibility, Launched};

macro_rules! fields {
    ($($field:ident: $first:ident $(. $rest:ident)*, $original:literal, [$($open:ident),*];)+) => {
        /// A field that a partner can change after creation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
        pub enum Field {
            $($field,)+
        }

        impl Field {
            /// Every one of them.
            pub const ALL: &'static [Field] = &[$(Field::$field),+];

            /// Path in the interface, such as `customer.account.website_url`.
            pub fn path(self) -> &'static str {
                match self {
                    $(Field::$field => concat!(stringify!($first) $(, ".", stringify!($rest))*),)+
                }
            }

            /// Path in the original, such as `Customer.Account.WebsiteUrl`.
            pub fn original(self) -> &'static str {
                match self {
                    $(Field::$field => $original,)+
                }
            }

            /// Whether the two say different things here.
            pub fn differs(self, one: &Details, other: &Details) -> bool {
                match self {
                    $(Field::$field => one.$first$(.$rest)* != other.$first$(.$rest)*,)+
                }
            }

            /// Takes over what `from` says here.
            pub fn copy(self, from: &Details, to: &mut Details) {
                match self {
                    $(Field::$field => to.$first$(.$rest)*.clone_from(&from.$first$(.$rest)*),)+
                }
            }

            fn open(self) -> &'static [Open] {
                match self {
                    $(Field::$field => &[$($open),*],)+
                }
            }
        }
    };
}

fields! {
    PartnerOpportunityIdentifier: partner_opportunity_identifier, "PartnerOpportunityIdentifier", [ActionRequired, Approved];
    OpportunityType: opportunity_type, "OpportunityType", [Approved, Launched];
    NationalSecurity: national_security, "NationalSecurity", [];
    PrimaryNeedsFromAws: primary_needs_from_aws, "PrimaryNeedsFromAws", [ApprovedForVisibility];
    CompanyName: customer.account.company_name, "Customer.Account.CompanyName", [];
    Industry: customer.account.industry, "Customer.Account.Industry", [];
    OtherIndustry: customer.account.other_industry, "Customer.Account.OtherIndustry", [Approved];
    WebsiteUrl: customer.account.website_url, "Customer.Account.WebsiteUrl", [ActionRequired];
    AwsAccountId: customer.account.aws_account_id, "Customer.Account.AwsAccountId", [Approved];
    Duns: customer.account.duns, "Customer.Account.Duns", [Approved];
    CountryCode: customer.account.address.country_code, "Customer.Account.Address.CountryCode", [ActionRequired];
    PostalCode: customer.account.address.postal_code, "Customer.Account.Address.PostalCode", [ActionRequired];
    StateOrRegion: customer.account.address.state_or_region, "Customer.Account.Address.StateOrRegion", [ActionRequired];
    City: customer.account.address.city, "Customer.Account.Address.City", [ActionRequired, Approved];
    StreetAddress: customer.account.address.street_address, "Customer.Account.Address.StreetAddress", [ActionRequired, Approved];
    Contacts: customer.contacts, "Customer.Contacts", [Approved];
    Title: project.title, "Project.Title", [];
    CustomerBusinessProblem: project.customer_business_problem, "Project.CustomerBusinessProblem", [ActionRequired];
    CustomerUseCase: project.customer_use_case, "Project.CustomerUseCase", [Approved];
    SubUseCase: project.sub_use_case, "", [Approved];
    DeliveryModels: project.delivery_models, "Project.DeliveryModels", [Approved, Launched];
    SalesActivities: project.sales_activities, "Project.SalesActivities", [Approved];
    ExpectedCustomerSpend: project.expected_customer_spend, "Project.ExpectedCustomerSpend", [ActionRequired, Approved];
    ExpectedContractDuration: project.expected_contract_duration, "Project.ExpectedContractDuration", [Approved];
    ApnPrograms: project.apn_programs, "Project.ApnPrograms", [Approved];
    CompetitorName: project.competitor_name, "Project.CompetitorName", [Approved];
    OtherCompetitorNames: project.other_competitor_names, "Project.OtherCompetitorNames", [Approved];
    OtherSolutionDescription: project.other_solution_description, "Project.OtherSolutionDescription", [Approved];
    AdditionalComments: project.additional_comments, "Project.AdditionalComments", [Approved, Launched];
    AwsPartition: project.aws_partition, "Project.AwsPartition", [Approved];
    RelatedOpportunity: project.related_opportunity_id, "Project.RelatedOpportunityIdentifier", [Approved, Launched];
    MigrationWorkload: project.migration.workload, "", [Approved];
    MigrationSource: project.migration.source, "", [Approved];
    MigrationPhase: project.migration.phase, "", [Approved];
    MigrationManagedServices: project.migration.managed_services, "", [Approved];
    MigrationDetails: project.migration.details, "", [Approved];
    MarketingSource: marketing.source, "Marketing.Source", [Approved];
    AwsFundingUsed: marketing.aws_funding_used, "Marketing.AwsFundingUsed", [Approved];
    CampaignName: marketing.campaign_name, "Marketing.CampaignName", [Approved];
    MarketingUseCases: marketing.use_cases, "Marketing.UseCases", [Approved];
    MarketingChannels: marketing.channels, "Marketing.Channels", [Approved];
    RevenueDeliveryModel: software_revenue.delivery_model, "SoftwareRevenue.DeliveryModel", [Approved, Launched];
    RevenueValue: software_revenue.value, "SoftwareRevenue.Value", [Approved, Launched];
    RevenueEffectiveDate: software_revenue.effective_date, "SoftwareRevenue.EffectiveDate", [Approved, Launched];
    RevenueExpirationDate: software_revenue.expiration_date, "SoftwareRevenue.ExpirationDate", [Approved, Launched];
    Stage: life_cycle.stage, "LifeCycle.Stage", [Approved];
    ClosedLostReason: life_cycle.closed_lost_reason, "LifeCycle.ClosedLostReason", [Approved];
    TargetCloseDate: life_cycle.target_close_date, "LifeCycle.TargetCloseDate", [ActionRequired, Approved];
    NextSteps: life_cycle.next_steps, "LifeCycle.NextSteps", [Approved];
    LeadSource: lead_source, "", [Approved];
    Tags: tags, "Tags", [Approved];
}

impl Field {
    /// The field with this path.
    pub fn from_path(path: &str) -> Option<Field> {
        Self::ALL.iter().copied().find(|field| field.path() == path)
    }

    /// Whether the field may be changed now.
    pub fn is_editable(self, now: Situation) -> bool {
        let open = self.open();
        match now.status {
            ReviewStatus::PendingSubmission => true,
            ReviewStatus::ActionRequired => open.contains(&ActionRequired),
            ReviewStatus::Approved => match now.stage {
                Stage::Launched => open.contains(&Launched),
                Stage::ClosedLost => false,
                _ => {
                    let for_visibility = now.involvement == Some(InvolvementType::ForVisibilityOnly);
                    open.contains(&Approved) || (for_visibility && open.contains(&ApprovedForVisibility))
                }
            },
            ReviewStatus::Submitted | ReviewStatus::InReview | ReviewStatus::Rejected => false,
        }
    }
}
