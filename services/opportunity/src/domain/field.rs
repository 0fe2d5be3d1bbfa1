//! The fields that a partner can update after creation, and the states in which each is editable (OPP-040).

use super::Details;
use super::values::{RelatedEntityType, ReviewReason};

/// A state in which a field is editable, besides a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EditableIn {
    /// ACTION_REQUIRED.
    ActionRequired,
    /// APPROVED, in an open stage.
    Approved,
    /// APPROVED, in an open stage, with the involvement FOR_VISIBILITY_ONLY: the update converts it to CO_SELL
    /// (OPP-027).
    ApprovedForVisibility,
    /// APPROVED, in stage LAUNCHED.
    Launched,
}
use EditableIn::{ActionRequired, Approved, ApprovedForVisibility, Launched};

/// Defines an enum of the settable fields of a struct, each with its path.
macro_rules! paths {
    ($(#[$doc:meta])* $list:ident of $record:ty { $($field:ident: $first:ident $(. $rest:ident)*;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "fields are documented once, in proto/")]
        pub enum $list {
            $($field,)+
        }

        impl $list {
            /// All fields.
            pub const ALL: &'static [$list] = &[$($list::$field),+];

            /// Path in the proto message, such as `customer.account.website_url`.
            pub fn path(self) -> &'static str {
                match self {
                    $($list::$field => concat!(stringify!($first) $(, ".", stringify!($rest))*),)+
                }
            }

            /// The field with this path.
            pub fn from_path(path: &str) -> Option<$list> {
                Self::ALL.iter().copied().find(|field| field.path() == path)
            }

            /// Whether the two have different values in this field.
            pub fn differs(self, one: &$record, other: &$record) -> bool {
                match self {
                    $($list::$field => one.$first$(.$rest)* != other.$first$(.$rest)*,)+
                }
            }

            /// Copies the value of this field.
            pub fn copy(self, from: &$record, to: &mut $record) {
                match self {
                    $($list::$field => to.$first$(.$rest)*.clone_from(&from.$first$(.$rest)*),)+
                }
            }
        }
    };
}
pub(super) use paths;

macro_rules! fields {
    ($($field:ident: $first:ident $(. $rest:ident)*, [$($state:ident),*];)+) => {
        paths! {
            /// A field that a partner can update after creation.
            Field of Details { $($field: $first $(. $rest)*;)+ }
        }

        impl Field {
            pub(super) fn editable_in(self) -> &'static [EditableIn] {
                match self {
                    $(Field::$field => &[$($state),*],)+
                }
            }
        }
    };
}

fields! {
    PartnerOpportunityIdentifier: partner_opportunity_identifier, [ActionRequired, Approved];
    OpportunityType: opportunity_type, [Approved, Launched];
    NationalSecurity: national_security, [];
    PrimaryNeedsFromAws: primary_needs_from_aws, [ApprovedForVisibility];
    CompanyName: customer.account.company_name, [];
    Industry: customer.account.industry, [];
    OtherIndustry: customer.account.other_industry, [Approved];
    WebsiteUrl: customer.account.website_url, [ActionRequired];
    AwsAccountId: customer.account.aws_account_id, [Approved];
    Duns: customer.account.duns, [Approved];
    CountryCode: customer.account.address.country_code, [ActionRequired];
    PostalCode: customer.account.address.postal_code, [ActionRequired];
    StateOrRegion: customer.account.address.state_or_region, [ActionRequired];
    City: customer.account.address.city, [ActionRequired, Approved];
    StreetAddress: customer.account.address.street_address, [ActionRequired, Approved];
    Contacts: customer.contacts, [Approved];
    Title: project.title, [];
    CustomerBusinessProblem: project.customer_business_problem, [ActionRequired];
    CustomerUseCase: project.customer_use_case, [Approved];
    SubUseCase: project.sub_use_case, [Approved];
    DeliveryModels: project.delivery_models, [Approved, Launched];
    SalesActivities: project.sales_activities, [Approved];
    ExpectedCustomerSpend: project.expected_customer_spend, [ActionRequired, Approved];
    ExpectedContractDuration: project.expected_contract_duration, [Approved];
    ApnPrograms: project.apn_programs, [Approved];
    CompetitorName: project.competitor_name, [Approved];
    OtherCompetitorNames: project.other_competitor_names, [Approved];
    OtherSolutionDescription: project.other_solution_description, [Approved];
    AdditionalComments: project.additional_comments, [Approved, Launched];
    AwsPartition: project.aws_partition, [Approved];
    RelatedOpportunity: project.related_opportunity_id, [Approved, Launched];
    MigrationWorkload: project.migration.workload, [Approved];
    MigrationSource: project.migration.source, [Approved];
    MigrationPhase: project.migration.phase, [Approved];
    MigrationManagedServices: project.migration.managed_services, [Approved];
    MigrationDetails: project.migration.details, [Approved];
    MarketingSource: marketing.source, [Approved];
    AwsFundingUsed: marketing.aws_funding_used, [Approved];
    CampaignName: marketing.campaign_name, [Approved];
    MarketingUseCases: marketing.use_cases, [Approved];
    MarketingChannels: marketing.channels, [Approved];
    RevenueDeliveryModel: software_revenue.delivery_model, [Approved, Launched];
    RevenueValue: software_revenue.value, [Approved, Launched];
    RevenueEffectiveDate: software_revenue.effective_date, [Approved, Launched];
    RevenueExpirationDate: software_revenue.expiration_date, [Approved, Launched];
    Stage: life_cycle.stage, [Approved];
    ClosedLostReason: life_cycle.closed_lost_reason, [Approved];
    TargetCloseDate: life_cycle.target_close_date, [ActionRequired, Approved];
    NextSteps: life_cycle.next_steps, [Approved];
    LeadSource: lead_source, [Approved];
}

/// The fields about which a decision with this reason asks, besides those that every decision opens (OPP-040).
pub fn fields_opened_by(reason: ReviewReason) -> &'static [Field] {
    match reason {
        ReviewReason::ClarifySolution => &[
            Field::OtherSolutionDescription,
            Field::CustomerUseCase,
            Field::SubUseCase,
            Field::DeliveryModels,
            Field::Title,
            Field::ApnPrograms,
        ],
        ReviewReason::ClarifyRevenue => &[
            Field::ExpectedContractDuration,
            Field::RevenueDeliveryModel,
            Field::RevenueValue,
            Field::RevenueEffectiveDate,
            Field::RevenueExpirationDate,
        ],
        ReviewReason::ForecastConflict => &[Field::Stage, Field::NextSteps],
        ReviewReason::BulkUploadResponse | ReviewReason::Other | ReviewReason::OtherInternalReview => &[],
    }
}

/// The types of entities about which a decision with this reason asks (OPP-045).
pub fn entities_opened_by(reason: ReviewReason) -> &'static [RelatedEntityType] {
    match reason {
        ReviewReason::ClarifySolution => &[
            RelatedEntityType::Solutions,
            RelatedEntityType::AwsProducts,
            RelatedEntityType::AwsMarketplaceSolutions,
            RelatedEntityType::AwsMarketplaceProducts,
        ],
        ReviewReason::ClarifyRevenue
        | ReviewReason::ForecastConflict
        | ReviewReason::BulkUploadResponse
        | ReviewReason::Other
        | ReviewReason::OtherInternalReview => &[],
    }
}

/// A set of fields, as a bit mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldSet(u64);

const _: () = assert!(Field::ALL.len() <= 64, "a bit for each field");

impl FieldSet {
    /// Whether the set contains the field.
    pub fn contains(self, field: Field) -> bool {
        self.0 & (1 << field as u32) != 0
    }
}

impl FromIterator<Field> for FieldSet {
    fn from_iter<T: IntoIterator<Item = Field>>(fields: T) -> Self {
        let bits = fields.into_iter().map(|field| 1 << field as u32);
        FieldSet(bits.fold(0, |all, bit: u64| all | bit))
    }
}
