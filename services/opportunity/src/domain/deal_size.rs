//! How much a deal is worth: the monthly spend with AWS, and the total value of the partner's contract (OPP-016, OPP-028).
//! The sentences of the rules about contract values are the original's.

use cosell_types::{ClosedList as _, FieldPath, Violation, ViolationCode};

use super::values::PaymentFrequency;
use super::{Details, ExpectedCustomerSpend, Facts, Policy};

/// Who is paid for what runs at AWS.
pub const AWS: &str = "AWS";
/// Who is paid by the contract with the partner.
pub const SELF: &str = "Self";
/// The partition in which everything is paid in euros.
const EUROPEAN_SOVEREIGN_CLOUD: &str = "aws-eusc";
const EUR: &str = "EUR";
/// 10^15 units, in hundredths.
const MAX_SPEND: i64 = 100_000_000_000_000_000;

/// What follows from what was given: without a contract duration all spend is with AWS, except what is said to be the
/// partner's own, which then lacks its duration.
pub fn settle(details: &mut Details) {
    if details.project.expected_contract_duration.is_none() {
        for entry in &mut details.project.expected_customer_spend {
            if !entry.target_company.is_empty() && entry.target_company != SELF {
                AWS.clone_into(&mut entry.target_company);
            }
        }
    }
}

/// What a change of one half means for the other: a duration without its own entry keeps the entry that there was; a
/// duration that is taken away takes its entry with it, unless entries are given.
pub fn complete(before: &Details, after: &mut Details, spend_is_given: bool) {
    let is_own = |entry: &&ExpectedCustomerSpend| entry.target_company == SELF;
    let Some(own) = before.project.expected_customer_spend.iter().find(is_own) else {
        return;
    };
    let entries = &mut after.project.expected_customer_spend;
    match after.project.expected_contract_duration {
        Some(_) if entries.iter().find(is_own).is_none() => entries.push(own.clone()),
        None if !spend_is_given => entries.retain(|entry| entry.target_company != SELF),
        _ => {}
    }
}

/// What is wrong with it.
pub fn check(details: &Details, facts: &Facts<'_>, found: &mut Vec<Violation>) {
    let project = &details.project;
    let entries = &project.expected_customer_spend;
    let at = "project.expected_customer_spend";
    if entries.is_empty() {
        add(found, at, ViolationCode::RequiredFieldMissing, "is required");
    }
    for (index, entry) in entries.iter().enumerate() {
        let field = format!("{at}[{index}]");
        one(entry, &field, &project.aws_partition, facts.policy, found);
    }
    let own = entries
        .iter()
        .filter(|entry| entry.target_company == SELF)
        .count();
    let has_duration = project.expected_contract_duration.is_some();
    if own > 0 && !has_duration {
        let text = "ExpectedContractDuration is required when a Self entry is present";
        add(
            found,
            "project.expected_contract_duration",
            ViolationCode::InvalidValue,
            text,
        );
    }
    if own == 0 && has_duration {
        let text = "A Self entry is required when ExpectedContractDuration is present";
        add(found, at, ViolationCode::InvalidValue, text);
    }
    if own > 1 {
        add(
            found,
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
            add(found, &field, ViolationCode::InvalidValue, text);
        }
        if own > 0 && !entry.estimation_url.is_empty() {
            let field = format!("{at}[{index}].estimation_url");
            let text = "Self entry and EstimationUrl cannot coexist";
            add(found, &field, ViolationCode::InvalidValue, text);
        }
    }
}

/// What is wrong with an entry, in this partition.
pub fn one(
    entry: &ExpectedCustomerSpend,
    at: &str,
    partition: &str,
    policy: &Policy,
    found: &mut Vec<Violation>,
) {
    match entry.amount {
        // The price estimate says it.
        None if !entry.estimation_url.is_empty() => {}
        None => add(
            found,
            &format!("{at}.amount"),
            ViolationCode::RequiredFieldMissing,
            "is required without an estimation_url",
        ),
        Some(amount) => {
            if !(1..=MAX_SPEND).contains(&amount.hundredths) {
                let text = "must be more than 0 and at most 1000000000000000";
                add(
                    found,
                    &format!("{at}.amount"),
                    ViolationCode::ValueOutOfRange,
                    text,
                );
            }
            currency(
                amount.currency.code(),
                &format!("{at}.amount.currency_code"),
                partition,
                policy,
                found,
            );
        }
    }
    let target = entry.target_company.as_str();
    match target {
        "" => add(
            found,
            &format!("{at}.target_company"),
            ViolationCode::RequiredFieldMissing,
            "is required",
        ),
        AWS | SELF => {}
        _ => {
            let field = format!("{at}.target_company");
            let text = "TargetCompany must be 'AWS' or 'Self'";
            let root = FieldPath::root();
            let violation = Violation::new(&root.field(&field), ViolationCode::InvalidValue, text);
            found.push(violation.rejecting(target).allowing([AWS, SELF], ""));
        }
    }
    let expected = match target {
        SELF => PaymentFrequency::OneTime,
        _ => PaymentFrequency::Monthly,
    };
    let field = format!("{at}.frequency");
    match entry.frequency {
        None => add(found, &field, ViolationCode::RequiredFieldMissing, "is required"),
        Some(stated) if stated != expected && !target.is_empty() => {
            let text = format!("is {} where the target company is {target}", expected.name());
            add(found, &field, ViolationCode::InvalidValue, &text);
        }
        Some(_) => {}
    }
}

/// Whether amounts may be in this currency.
pub fn currency(code: &str, at: &str, partition: &str, policy: &Policy, found: &mut Vec<Violation>) {
    let root = FieldPath::root();
    let at = root.field(at);
    if partition == EUROPEAN_SOVEREIGN_CLOUD && code != EUR {
        let text = format!("must be {EUR} in the partition {EUROPEAN_SOVEREIGN_CLOUD}");
        let violation = Violation::new(&at, ViolationCode::InvalidValue, text);
        found.push(violation.rejecting(code).allowing([EUR], ""));
        return;
    }
    let allowed: Vec<_> = policy.currencies.iter().map(|currency| currency.code()).collect();
    if !allowed.contains(&code) {
        let text = format!("must be one of {}", allowed.join(", "));
        let violation = Violation::new(&at, ViolationCode::InvalidEnumValue, text);
        found.push(violation.rejecting(code).allowing(allowed, "currency"));
    }
}

fn add(found: &mut Vec<Violation>, field: &str, code: ViolationCode, text: &str) {
    found.push(Violation::new(&FieldPath::root().field(field), code, text));
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
            target_company: SELF.to_owned(),
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
        let mut given = Details::default();
        change(&mut given);
        let event = record.update(&member("creator"), fields, &given, &facts(), now());
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
    fn opp_028_one_half_of_a_contract_follows_the_other() {
        let mut record = with_contract();
        let spending = [Field::ExpectedCustomerSpend];
        change(&mut record, &spending, |given| {
            given.project.expected_customer_spend = vec![spend(7)]
        });
        assert_eq!(targets(&record), [AWS, SELF], "the duration keeps its entry");
        change(&mut record, &[Field::ExpectedContractDuration], |_| {});
        assert_eq!(targets(&record), [AWS], "without a duration there is no contract");
        assert_eq!(record.details().project.expected_contract_duration, None);
    }

    #[test]
    fn opp_028_a_contract_is_replaced_by_another() {
        let mut record = with_contract();
        let both = [Field::ExpectedCustomerSpend, Field::ExpectedContractDuration];
        change(&mut record, &both, |given| {
            given.project.expected_customer_spend = vec![spend(7), own(9)];
            given.project.expected_contract_duration = Some(24);
        });
        let entry = &record.details().project.expected_customer_spend[1];
        assert_eq!(entry.amount.map(|amount| amount.hundredths), Some(900));
        assert_eq!(record.details().project.expected_contract_duration, Some(24));
    }

    proptest! {
        /// A year's amount and twelve months of what is kept differ by less than a hundredth a month.
        #[test]
        fn opp_016_a_twelfth_of_a_year_is_exact_to_a_hundredth(hundredths in 1..MAX_SPEND) {
            let mut details = minimal();
            details.project.expected_customer_spend = vec![ExpectedCustomerSpend {
                frequency: Some(PaymentFrequency::Annual),
                amount: spend(1).amount.map(|amount| Money { hundredths, ..amount }),
                ..spend(1)
            }];
            let kept = draft(details).details().project.expected_customer_spend[0].clone();
            let monthly = kept.amount.expect("an amount").hundredths;
            prop_assert_eq!(kept.frequency, Some(PaymentFrequency::Monthly));
            prop_assert!(monthly > 0 && (monthly * 12 - hundredths).abs() <= 11, "{} {}", hundredths, monthly);
        }
    }
}
