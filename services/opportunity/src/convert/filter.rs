//! The filter of lists, exports and transfers of opportunities.

use cosell_grpc::Failure;
use cosell_grpc::convert::{date_range, ids, timestamp_range};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::{ClosedList as _, FieldPath, Side, Violation, ViolationCode, comparison_key};

use super::enum_values;
use crate::domain::search::{MAX_SEARCH_TERMS, MAX_SEARCH_WORDS, query_terms, word_count};
use crate::domain::values::Preset;
use crate::store::list::OpportunityFilter;

/// Reads a filter. An invalid filter fails with all violations, before the call uses a database connection. `at` is the
/// prefix of its paths in the request, such as `list.`.
pub fn filter(
    at: &str,
    message: Option<&pb::OpportunityFilter>,
    preset: i32,
    search: &str,
    side: Side,
) -> Result<OpportunityFilter, Failure> {
    let message = message.cloned().unwrap_or_default();
    let path = |field: &str| format!("{at}{field}");
    let mut violations = Vec::new();
    let created = timestamp_range(
        message.create_time.as_ref(),
        &path("filter.create_time"),
        &mut violations,
    );
    let updated = timestamp_range(
        message.update_time.as_ref(),
        &path("filter.update_time"),
        &mut violations,
    );
    let closes = date_range(
        message.target_close_date.as_ref(),
        &path("filter.target_close_date"),
        &mut violations,
    );
    let opportunities = ids(
        &message.opportunity_ids,
        &path("filter.opportunity_ids"),
        &mut violations,
    );
    let owners = ids(
        &message.owner_member_ids,
        &path("filter.owner_member_ids"),
        &mut violations,
    );
    let search_terms: Vec<_> = query_terms(search).into_iter().collect();
    let keys = |texts: &[String]| texts.iter().map(|text| comparison_key(text)).collect();
    let mut invalid = |field: &str, text: &str| {
        let root = FieldPath::root();
        violations.push(Violation::new(
            &root.field(&path(field)),
            ViolationCode::InvalidValue,
            text,
        ));
    };
    if word_count(search) > MAX_SEARCH_WORDS || search_terms.len() > MAX_SEARCH_TERMS {
        let text = format!(
            "Can have at most {MAX_SEARCH_WORDS} different words. Chinese, Japanese and Korean words are searched in \
             pieces, of which there can be at most {MAX_SEARCH_TERMS}."
        );
        invalid("search", &text);
    }
    if message.without_active_owner && side == Side::Aws {
        invalid("filter.without_active_owner", "Is available to partners only.");
    }
    let preset = Preset::from_number(preset);
    violations.extend(preset.and_then(|preset| pending_acceptance(preset, &path("preset"))));
    if !violations.is_empty() {
        return Err(Failure::invalid(violations));
    }
    Ok(OpportunityFilter {
        ids: (!opportunities.is_empty()).then_some(opportunities),
        preset,
        search_terms,
        stages: enum_values(&message.stages),
        review_statuses: enum_values(&message.review_statuses),
        company_keys: keys(&message.customer_company_names),
        partner_identifier_keys: keys(&message.partner_opportunity_identifiers),
        owners,
        origins: enum_values(&message.origins),
        created,
        updated,
        closes,
        without_active_owner: message.without_active_owner,
    })
}

/// The violation of PENDING_ACCEPTANCE, which is a list of offers and not of opportunities (OPP-063).
pub fn pending_acceptance(preset: Preset, field: &str) -> Option<Violation> {
    let text = "Is not a list of opportunities: what AWS offers becomes an opportunity only when the partner accepts it. \
                Call ReferralService.ListReferralOffers, which lists the offers.";
    (preset == Preset::PendingAcceptance)
        .then(|| Violation::new(&FieldPath::root().field(field), ViolationCode::InvalidValue, text))
}
