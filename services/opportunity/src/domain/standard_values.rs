//! Every pick list of the record, for whoever builds a form or a mapping (OPP-044).

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
    /// Its name, such as `industry`.
    pub name: &'static str,
    /// Its values, in the order in which they are offered.
    pub values: Vec<Value>,
}

/// A value of a pick list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// What the interface takes: a text, or the name of an enum's member.
    pub value: String,
    /// What people and the original call it.
    pub label: String,
    /// Other texts that are taken for it.
    pub aliases: Vec<String>,
    /// Whether it is still taken, but not to be chosen any more.
    pub is_deprecated: bool,
    /// What to choose instead.
    pub instead: Vec<String>,
}

/// All of them, and the version that they have together: it changes when a list does, and not otherwise.
pub fn all(policy: &Policy) -> (String, Vec<ValueList>) {
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
        members::<Stage>("stage"),
        members::<ClosedLostReason>("closed_lost_reason"),
        members::<ReviewStatus>("review_status"),
        members::<ReviewReason>("review_reason"),
        members::<Origin>("origin"),
        members::<OpportunityType>("opportunity_type"),
        members::<InvolvementType>("involvement_type"),
        members::<Visibility>("visibility"),
        members::<PrimaryNeedFromAws>("primary_need_from_aws"),
        members::<DeliveryModel>("delivery_model"),
        members::<SalesActivity>("sales_activity"),
        members::<CompetitorName>("competitor_name"),
        members::<PaymentFrequency>("payment_frequency"),
        members::<MarketingSource>("marketing_source"),
        members::<MarketingChannel>("marketing_channel"),
        members::<RevenueDeliveryModel>("revenue_delivery_model"),
        members::<MigrationPhase>("migration_phase"),
        members::<AwsStage>("aws_stage"),
        members::<InvolvementTypeChangeReason>("involvement_type_change_reason"),
        members::<EngagementScore>("engagement_score"),
        members::<RelatedEntityType>("related_entity_type"),
        members::<SolutionStatus>("solution_status"),
    ]);
    let digest = Sha256::digest(format!("{lists:?}"));
    let version = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    (version, lists)
}

fn plain(value: &str) -> Value {
    Value {
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
        let instead = list.instead_of(value);
        Value {
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

/// The members of an enum are named after their list, in capitals.
fn members<T: ClosedList>(name: &'static str) -> ValueList {
    let values = T::ALL.iter().map(|member| Value {
        label: member.literal().to_owned(),
        ..plain(&format!("{}_{}", name.to_uppercase(), member.name()))
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
    fn opp_044_every_list_is_there_once_and_the_version_follows_what_is_in_them() {
        let (version, lists) = all(&policy());
        let names: HashSet<_> = lists.iter().map(|list| list.name).collect();
        assert_eq!((names.len(), lists.len()), (38, 38));
        assert!(lists.iter().all(|list| !list.values.is_empty()));
        assert_eq!(all(&policy()).0, version);
        let dollars = Policy {
            currencies: policy().currencies[..1].to_vec(),
            ..policy()
        };
        assert_ne!(all(&dollars).0, version, "another currency, another version");
        let find = |list: &str, value: &str| {
            let list = lists.iter().find(|found| found.name == list).expect("the list");
            list.values
                .iter()
                .find(|found| found.value == value)
                .expect("the value")
                .clone()
        };
        assert_eq!(find("country", "DE").label, "Germany");
        assert_eq!(find("stage", "STAGE_CLOSED_LOST").label, "Closed Lost");
        let gone = find("country", "AN");
        assert!(
            gone.is_deprecated && gone.instead == ["BQ", "CW", "SX"],
            "{gone:?}"
        );
    }
}
