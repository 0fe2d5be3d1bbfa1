//! The paths that a decision can name for correction (REV-013). Tests compare them with the opportunity service, because
//! this crate depends only on the interface of that service.

/// Paths of the opportunity fields that a decision can open for correction: all fields that a partner can ever change
/// with `UpdateOpportunity`, except `national_security`.
pub const CORRECTABLE: [&str; 49] = [
    "partner_opportunity_identifier",
    "opportunity_type",
    "primary_needs_from_aws",
    "customer.account.company_name",
    "customer.account.industry",
    "customer.account.other_industry",
    "customer.account.website_url",
    "customer.account.aws_account_id",
    "customer.account.duns",
    "customer.account.address.country_code",
    "customer.account.address.postal_code",
    "customer.account.address.state_or_region",
    "customer.account.address.city",
    "customer.account.address.street_address",
    "customer.contacts",
    "project.title",
    "project.customer_business_problem",
    "project.customer_use_case",
    "project.sub_use_case",
    "project.delivery_models",
    "project.sales_activities",
    "project.expected_customer_spend",
    "project.expected_contract_duration",
    "project.apn_programs",
    "project.competitor_name",
    "project.other_competitor_names",
    "project.other_solution_description",
    "project.additional_comments",
    "project.aws_partition",
    "project.related_opportunity_id",
    "project.migration.workload",
    "project.migration.source",
    "project.migration.phase",
    "project.migration.managed_services",
    "project.migration.details",
    "marketing.source",
    "marketing.aws_funding_used",
    "marketing.campaign_name",
    "marketing.use_cases",
    "marketing.channels",
    "software_revenue.delivery_model",
    "software_revenue.value",
    "software_revenue.effective_date",
    "software_revenue.expiration_date",
    "life_cycle.stage",
    "life_cycle.closed_lost_reason",
    "life_cycle.target_close_date",
    "life_cycle.next_steps",
    "lead_source",
];

/// Paths of the associated entities that a decision can open for correction with `AssociateEntity` and
/// `DisassociateEntity` (OPP-045): not offers, which are associated after approval (OPP-047).
pub const CORRECTABLE_ENTITIES: [&str; 4] = [
    "related_entity_identifiers.solutions",
    "related_entity_identifiers.aws_products",
    "related_entity_identifiers.aws_marketplace_solutions",
    "related_entity_identifiers.aws_marketplace_products",
];

/// All paths that a decision can name. Not among them are `opportunity_team`, which is set at creation only, and `tags`,
/// which can be changed in every review status (OPP-009).
pub fn correctable_paths() -> impl Iterator<Item = &'static str> {
    CORRECTABLE.into_iter().chain(CORRECTABLE_ENTITIES)
}
