//! The names of opportunity fields in AWS Partner Central's API, for clients that integrate with both.

/// The path of a field in AWS Partner Central's API, such as `Customer.Account.Address.PostalCode`; empty for a field
/// that the API does not have.
pub fn field_path(field: &str) -> String {
    const UNSUPPORTED: [&str; 3] = ["project.migration", "project.sub_use_case", "lead_source"];
    if UNSUPPORTED
        .iter()
        .any(|unsupported| field.starts_with(unsupported))
    {
        return String::new();
    }
    let name = |segment: &str| match segment {
        "months" => "Value".to_owned(),
        "related_opportunity_id" => "RelatedOpportunityIdentifier".to_owned(),
        segment => segment.split('_').map(capitalized).collect(),
    };
    let mut path: String = field.split('.').map(name).collect::<Vec<_>>().join(".");
    // In an entry of the expected spend, amount and currency are fields of the entry itself.
    if path.starts_with("Project.ExpectedCustomerSpend") {
        path = path.replace(".Amount.CurrencyCode", ".CurrencyCode");
    }
    // The amount of money is one field.
    for part in [".Units", ".Nanos"] {
        path = path.replace(part, "");
    }
    path
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plt_007_fields_have_the_names_of_the_aws_api() {
        let names = [
            ("customer.account.aws_account_id", "Customer.Account.AwsAccountId"),
            ("customer.contacts[0].email", "Customer.Contacts[0].Email"),
            (
                "project.expected_customer_spend[1].amount.currency_code",
                "Project.ExpectedCustomerSpend[1].CurrencyCode",
            ),
            (
                "project.expected_customer_spend[1].amount.nanos",
                "Project.ExpectedCustomerSpend[1].Amount",
            ),
            (
                "project.expected_contract_duration.months",
                "Project.ExpectedContractDuration.Value",
            ),
            (
                "project.related_opportunity_id",
                "Project.RelatedOpportunityIdentifier",
            ),
            ("life_cycle.next_steps", "LifeCycle.NextSteps"),
            ("primary_needs_from_aws[2]", "PrimaryNeedsFromAws[2]"),
            (
                "software_revenue.value.currency_code",
                "SoftwareRevenue.Value.CurrencyCode",
            ),
            ("project.migration.phase", ""),
            ("lead_source", ""),
        ];
        for (field, expected) in names {
            assert_eq!(field_path(field), expected, "{field}");
        }
    }
}
