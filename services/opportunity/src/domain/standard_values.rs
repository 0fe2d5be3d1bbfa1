//! All pick lists of the opportunity, for clients that build forms or mappings (OPP-044).

use cosell_types::ClosedList;
use cosell_types::standard::{AWS_MATURITY, MARKET_SEGMENT, StandardList};
use sha2::{Digest as _, Sha256};

use super::Policy;
use super::reference::{
    APN_PROGRAM, AWS_CLOSED_LOST_REASON, AWS_TEAM_TITLE, COSELL_MOTION, COUNTRY, INDUSTRY,
    MARKETING_USE_CASE, QUALITY_TREND, RECOMMENDATION_TYPE, SOLUTION_CATEGORY, TEAM_TITLE, US_STATE,
    USE_CASE,
};
use super::values::{
    AwsStage, ClosedLostReason, CompetitorName, DeliveryModel, EngagementScore, InvolvementType,
    InvolvementTypeChangeReason, MarketingChannel, MarketingSource, MigrationPhase, OpportunityType, Origin,
    PaymentFrequency, PrimaryNeedFromAws, RelatedEntityType, RevenueDeliveryModel, ReviewReason,
    ReviewStatus, SalesActivity, SolutionStatus, Stage, Visibility,
};

/// A pick list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueList {
    /// Name of the list, such as `industry`.
    pub name: &'static str,
    /// The values, in display order.
    pub values: Vec<StandardValue>,
}

/// A value of a pick list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandardValue {
    /// The text that requests contain, or the name of the enum value.
    pub value: String,
    /// The display name, which AWS Partner Central uses too.
    pub label: String,
    /// Other accepted texts for the value.
    pub aliases: Vec<String>,
    /// Whether the value is still accepted, but no longer to be chosen.
    pub is_deprecated: bool,
    /// The values to choose instead of a deprecated one.
    pub instead: Vec<String>,
}

/// All pick lists and their common version, which changes exactly when a list changes.
pub fn all_lists(policy: &Policy) -> (String, Vec<ValueList>) {
    let currencies = policy.currencies.iter().map(|currency| plain(currency.code()));
    let mut lists = vec![
        texts(&INDUSTRY),
        texts(&COUNTRY),
        texts(&US_STATE),
        texts(&USE_CASE),
        texts(&APN_PROGRAM),
        texts(&MARKETING_USE_CASE),
        texts(&TEAM_TITLE),
        texts(&SOLUTION_CATEGORY),
        ValueList {
            name: "currency",
            values: currencies.collect(),
        },
        texts(&AWS_CLOSED_LOST_REASON),
        texts(&AWS_TEAM_TITLE),
        texts(&MARKET_SEGMENT),
        texts(&AWS_MATURITY),
        texts(&QUALITY_TREND),
        texts(&RECOMMENDATION_TYPE),
        texts(&COSELL_MOTION),
    ];
    lists.extend([
        enum_values::<Stage>("stage"),
        enum_values::<ClosedLostReason>("closed_lost_reason"),
        enum_values::<ReviewStatus>("review_status"),
        enum_values::<ReviewReason>("review_reason"),
        enum_values::<Origin>("origin"),
        enum_values::<OpportunityType>("opportunity_type"),
        enum_values::<InvolvementType>("involvement_type"),
        enum_values::<Visibility>("visibility"),
        enum_values::<PrimaryNeedFromAws>("primary_need_from_aws"),
        enum_values::<DeliveryModel>("delivery_model"),
        enum_values::<SalesActivity>("sales_activity"),
        enum_values::<CompetitorName>("competitor_name"),
        enum_values::<PaymentFrequency>("payment_frequency"),
        enum_values::<MarketingSource>("marketing_source"),
        enum_values::<MarketingChannel>("marketing_channel"),
        enum_values::<RevenueDeliveryModel>("revenue_delivery_model"),
        enum_values::<MigrationPhase>("migration_phase"),
        enum_values::<AwsStage>("aws_stage"),
        enum_values::<InvolvementTypeChangeReason>("involvement_type_change_reason"),
        enum_values::<EngagementScore>("engagement_score"),
        enum_values::<RelatedEntityType>("related_entity_type"),
        enum_values::<SolutionStatus>("solution_status"),
    ]);
    let digest = Sha256::digest(format!("{lists:?}"));
    let version = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    (version, lists)
}

fn plain(value: &str) -> StandardValue {
    StandardValue {
        value: value.to_owned(),
        label: value.to_owned(),
        aliases: Vec::new(),
        is_deprecated: false,
        instead: Vec::new(),
    }
}

fn texts(list: &'static StandardList) -> ValueList {
    let values = list.values.iter().map(|value| {
        let aliases = list.aliases.iter().filter(|(_, of)| of == value);
        let instead = list.replacements_of(value);
        StandardValue {
            label: list.label(value).to_owned(),
            aliases: aliases.map(|(alias, _)| (*alias).to_owned()).collect(),
            is_deprecated: instead.is_some(),
            instead: instead
                .unwrap_or_default()
                .iter()
                .map(|value| (*value).to_owned())
                .collect(),
            ..plain(value)
        }
    });
    ValueList {
        name: list.name,
        values: values.collect(),
    }
}

/// The list of an enum. Its values are prefixed with the name of the enum, as in proto.
fn enum_values<T: ClosedList>(name: &'static str) -> ValueList {
    let values = T::ALL.iter().map(|value| StandardValue {
        label: value.literal().to_owned(),
        ..plain(&format!("{}_{}", name.to_uppercase(), value.name()))
    });
    ValueList {
        name,
        values: values.collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::fixtures::policy;
    use super::*;

    #[test]
    fn opp_044_each_list_occurs_once_and_version_depends_on_content() {
        let (version, lists) = all_lists(&policy());
        let names: HashSet<_> = lists.iter().map(|list| list.name).collect();
        assert_eq!((names.len(), lists.len()), (38, 38));
        assert!(lists.iter().all(|list| !list.values.is_empty()));
        assert_eq!(all_lists(&policy()).0, version);
        let dollars = Policy {
            currencies: policy().currencies[..1].to_vec(),
            ..policy()
        };
        assert_ne!(
            all_lists(&dollars).0,
            version,
            "the version changes with a currency"
        );
        let find = |list: &str, value: &str| {
            let list = lists
                .iter()
                .find(|candidate| candidate.name == list)
                .expect("the list");
            list.values
                .iter()
                .find(|candidate| candidate.value == value)
                .expect("the value")
                .clone()
        };
        assert_eq!(find("country", "DE").label, "Germany");
        assert_eq!(find("stage", "STAGE_CLOSED_LOST").label, "Closed Lost");
        let deprecated = find("country", "AN");
        assert!(
            deprecated.is_deprecated && deprecated.instead == ["BQ", "CW", "SX"],
            "{deprecated:?}"
        );
    }
}
