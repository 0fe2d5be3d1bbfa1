//! What the original calls the fields of a record, for clients that speak its words.

/// The original's path of a field, such as `Customer.Account.Address.PostalCode`; empty for what the original lacks.
pub fn path(field: &str) -> String {
    const UNKNOWN: [&str; 3] = ["project.migration", "project.sub_use_case", "lead_source"];
    if UNKNOWN.iter().any(|unknown| field.starts_with(unknown)) {
        return String::new();
    }
    let name = |step: &str| match step {
        "months" => "Value".to_owned(),
        "related_opportunity_id" => "RelatedOpportunityIdentifier".to_owned(),
        step => step.split('_').map(capitalised).collect(),
    };
    let mut path: String = field.split('.').map(name).collect::<Vec<_>>().join(".");
    // An entry of the spend has its amount as text and its currency side by side.
    if path.starts_with("Project.ExpectedCustomerSpend") {
        path = path.replace(".Amount.CurrencyCode", ".CurrencyCode");
    }
    // Of other money the amount is one field.
    for part in [".Units", ".Nanos"] {
        path = path.replace(part, "");
    }
    path
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plt_007_fields_have_the_names_of_the_original() {
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
        for (ours, original) in names {
            assert_eq!(path(ours), original, "{ours}");
        }
    }
}
