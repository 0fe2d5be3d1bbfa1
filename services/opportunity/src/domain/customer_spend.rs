//! Expected customer spend: the monthly spend with AWS, and the total value of the partner's own contract (OPP-016,
//! OPP-028). The error texts of the rules about contract values are those of AWS Partner Central's API, word for word.

use cosell_types::{ClosedList as _, FieldPath, Violation, ViolationCode};

use super::values::PaymentFrequency;
use super::{Details, ExpectedCustomerSpend, Facts, Policy};

/// The target company of spend on AWS services.
pub const TARGET_AWS: &str = "AWS";
/// The target company of the partner's own contract.
pub const TARGET_SELF: &str = "Self";
/// The partition in which all amounts are in euros.
const EUROPEAN_SOVEREIGN_CLOUD: &str = "aws-eusc";
const EUR: &str = "EUR";
/// 10^15 units, in hundredths.
const MAX_SPEND: i64 = 100_000_000_000_000_000;

/// Without a contract duration all spend is with AWS, so every target company but `Self` is replaced. An entry for
/// `Self` stays, and violates OPP-028.
pub fn default_target_companies(details: &mut Details) {
    if details.project.expected_contract_duration.is_none() {
        for entry in &mut details.project.expected_customer_spend {
            if !entry.target_company.is_empty() && entry.target_company != TARGET_SELF {
                TARGET_AWS.clone_into(&mut entry.target_company);
            }
        }
    }
}

/// Reconciles the contract duration and the entry for `Self` after an update: the previous entry is retained if there
/// is a duration, and removed if the duration is cleared and the update does not set the entries.
pub fn reconcile_contract(before: &Details, after: &mut Details, sets_spend: bool) {
    let is_own = |entry: &&ExpectedCustomerSpend| entry.target_company == TARGET_SELF;
    let Some(own) = before.project.expected_customer_spend.iter().find(is_own) else {
        return;
    };
    let entries = &mut after.project.expected_customer_spend;
    match after.project.expected_contract_duration {
        Some(_) if entries.iter().find(is_own).is_none() => entries.push(own.clone()),
        None if !sets_spend => entries.retain(|entry| entry.target_company != TARGET_SELF),
        _ => {}
    }
}

/// Checks all entries and the contract duration.
pub fn check(details: &Details, facts: &Facts<'_>, violations: &mut Vec<Violation>) {
    let project = &details.project;
    let entries = &project.expected_customer_spend;
    let at = "project.expected_customer_spend";
    if entries.is_empty() {
        add(
            violations,
            at,
            ViolationCode::RequiredFieldMissing,
            "Is required.",
        );
    }
    for (index, entry) in entries.iter().enumerate() {
        let field = format!("{at}[{index}]");
        check_entry(entry, &field, &project.aws_partition, facts.policy, violations);
    }
    let own = entries
        .iter()
        .filter(|entry| entry.target_company == TARGET_SELF)
        .count();
    let has_duration = project.expected_contract_duration.is_some();
    if own > 0 && !has_duration {
        let text = "ExpectedContractDuration is required when a Self entry is present";
        add(
            violations,
            "project.expected_contract_duration",
            ViolationCode::InvalidValue,
            text,
        );
    }
    if own == 0 && has_duration {
        let text = "A Self entry is required when ExpectedContractDuration is present";
        add(violations, at, ViolationCode::InvalidValue, text);
    }
    if own > 1 {
        add(
            violations,
            at,
            ViolationCode::InvalidValue,
            "Only one Self entry is allowed",
        );
    }
    let first = entries.iter().find_map(|entry| entry.amount);
    for (index, entry) in entries.iter().enumerate() {
        if first
            .zip(entry.amount)
            .is_some_and(|(first, amount)| first.currency != amount.currency)
        {
            let field = format!("{at}[{index}].amount.currency_code");
            let text = "CurrencyCode must match between entries";
            add(violations, &field, ViolationCode::InvalidValue, text);
        }
        if own > 0 && !entry.estimation_url.is_empty() {
            let field = format!("{at}[{index}].estimation_url");
            let text = "Self entry and EstimationUrl cannot coexist";
            add(violations, &field, ViolationCode::InvalidValue, text);
        }
    }
}

/// Checks one entry, in this AWS partition.
pub fn check_entry(
    entry: &ExpectedCustomerSpend,
    at: &str,
    partition: &str,
    policy: &Policy,
    violations: &mut Vec<Violation>,
) {
    match entry.amount {
        // The price estimate has the amount.
        None if !entry.estimation_url.is_empty() => {}
        None => add(
            violations,
            &format!("{at}.amount"),
            ViolationCode::RequiredFieldMissing,
            "Is required without an estimation_url.",
        ),
        Some(amount) => {
            if !(1..=MAX_SPEND).contains(&amount.hundredths) {
                let text = "Must be greater than 0 and at most 1000000000000000.";
                add(
                    violations,
                    &format!("{at}.amount"),
                    ViolationCode::ValueOutOfRange,
                    text,
                );
            }
            check_currency(
                amount.currency.code(),
                &format!("{at}.amount.currency_code"),
                partition,
                policy,
                violations,
            );
        }
    }
    let target = entry.target_company.as_str();
    match target {
        "" => add(
            violations,
            &format!("{at}.target_company"),
            ViolationCode::RequiredFieldMissing,
            "Is required.",
        ),
        TARGET_AWS | TARGET_SELF => {}
        _ => {
            let field = format!("{at}.target_company");
            let text = "TargetCompany must be 'AWS' or 'Self'";
            let root = FieldPath::root();
            let violation = Violation::new(&root.field(&field), ViolationCode::InvalidValue, text);
            violations.push(
                violation
                    .with_rejected_value(target)
                    .with_allowed_values([TARGET_AWS, TARGET_SELF], ""),
            );
        }
    }
    let expected = match target {
        TARGET_SELF => PaymentFrequency::OneTime,
        _ => PaymentFrequency::Monthly,
    };
    let field = format!("{at}.frequency");
    match entry.frequency {
        None => add(
            violations,
            &field,
            ViolationCode::RequiredFieldMissing,
            "Is required.",
        ),
        Some(stated) if stated != expected && !target.is_empty() => {
            let text = format!("Must be {} for the target company {target}.", expected.name());
            add(violations, &field, ViolationCode::InvalidValue, &text);
        }
        Some(_) => {}
    }
}

/// Checks the currency of an amount, in this AWS partition.
pub fn check_currency(
    code: &str,
    at: &str,
    partition: &str,
    policy: &Policy,
    violations: &mut Vec<Violation>,
) {
    let root = FieldPath::root();
    let at = root.field(at);
    if partition == EUROPEAN_SOVEREIGN_CLOUD && code != EUR {
        let text = format!("Must be {EUR} in the partition {EUROPEAN_SOVEREIGN_CLOUD}.");
        let violation = Violation::new(&at, ViolationCode::InvalidValue, text);
        violations.push(violation.with_rejected_value(code).with_allowed_values([EUR], ""));
        return;
    }
    let allowed: Vec<_> = policy.currencies.iter().map(|currency| currency.code()).collect();
    if !allowed.contains(&code) {
        let text = format!("Must be one of {}.", allowed.join(", "));
        let violation = Violation::new(&at, ViolationCode::InvalidEnumValue, text);
        violations.push(
            violation
                .with_rejected_value(code)
                .with_allowed_values(allowed, "currency"),
        );
    }
}

fn add(violations: &mut Vec<Violation>, field: &str, code: ViolationCode, text: &str) {
    violations.push(Violation::new(&FieldPath::root().field(field), code, text));
}

#[cfg(test)]
mod tests {
    use cosell_types::Money;
    use proptest::prelude::*;

    use super::super::fixtures::{draft, facts, member, minimal, now, spend};
    use super::super::{Field, Opportunity};
    use super::*;

    fn own(units: i64) -> ExpectedCustomerSpend {
        ExpectedCustomerSpend {
            frequency: Some(PaymentFrequency::OneTime),
            target_company: TARGET_SELF.to_owned(),
            ..spend(units)
        }
    }

    fn with_contract() -> Opportunity {
        let mut details = minimal();
        details.project.expected_customer_spend.push(own(5_000));
        details.project.expected_contract_duration = Some(12);
        draft(details)
    }

    fn change(record: &mut Opportunity, fields: &[Field], change: impl FnOnce(&mut Details)) {
        let mut input = Details::default();
        change(&mut input);
        let event = record.update(&member("creator"), fields, &input, &facts(), now());
        assert!(matches!(event, Ok(Some(_))), "{event:?}");
    }

    fn targets(record: &Opportunity) -> Vec<&str> {
        let entries = &record.details().project.expected_customer_spend;
        entries
            .iter()
            .map(|entry| entry.target_company.as_str())
            .collect()
    }

    #[test]
    fn opp_028_entry_for_self_and_contract_duration_follow_each_other() {
        let mut record = with_contract();
        let fields = [Field::ExpectedCustomerSpend];
        change(&mut record, &fields, |input| {
            input.project.expected_customer_spend = vec![spend(7)]
        });
        assert_eq!(
            targets(&record),
            [TARGET_AWS, TARGET_SELF],
            "the entry for Self is retained with the duration"
        );
        change(&mut record, &[Field::ExpectedContractDuration], |_| {});
        assert_eq!(
            targets(&record),
            [TARGET_AWS],
            "clearing the duration removes the entry for Self"
        );
        assert_eq!(record.details().project.expected_contract_duration, None);
    }

    #[test]
    fn opp_028_update_replaces_entry_for_self_and_duration() {
        let mut record = with_contract();
        let fields = [Field::ExpectedCustomerSpend, Field::ExpectedContractDuration];
        change(&mut record, &fields, |input| {
            input.project.expected_customer_spend = vec![spend(7), own(9)];
            input.project.expected_contract_duration = Some(24);
        });
        let entry = &record.details().project.expected_customer_spend[1];
        assert_eq!(entry.amount.map(|amount| amount.hundredths), Some(900));
        assert_eq!(record.details().project.expected_contract_duration, Some(24));
    }

    proptest! {
        /// The annual amount and twelve times the stored monthly amount differ by less than a hundredth per month.
        #[test]
        fn opp_016_annual_amount_is_divided_by_twelve_to_the_nearest_hundredth(hundredths in 1..MAX_SPEND) {
            let mut details = minimal();
            details.project.expected_customer_spend = vec![ExpectedCustomerSpend {
                frequency: Some(PaymentFrequency::Annual),
                amount: spend(1).amount.map(|amount| Money { hundredths, ..amount }),
                ..spend(1)
            }];
            let stored = draft(details).details().project.expected_customer_spend[0].clone();
            let monthly = stored.amount.expect("an amount").hundredths;
            prop_assert_eq!(stored.frequency, Some(PaymentFrequency::Monthly));
            prop_assert!(monthly > 0 && (monthly * 12 - hundredths).abs() <= 11, "{} {}", hundredths, monthly);
        }
    }
}
