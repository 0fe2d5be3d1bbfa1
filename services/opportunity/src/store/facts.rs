use std::collections::BTreeSet;

use cosell_store::{Error, Tx};
use cosell_types::{AccountId, OpportunityId};

use super::catalog::{active_solutions, known_products, subsidiaries};
use crate::domain::{Details, Facts, Policy, RelatedEntityIdentifiers};

/// What is known of an account, and of what these records of it name.
pub async fn facts<'a>(
    tx: &mut Tx,
    policy: &'a Policy,
    account: &AccountId,
    records: &[&Details],
) -> Result<Facts<'a>, Error> {
    let known = cosell_members::account_facts(tx, account).await?;
    let named: Vec<_> = records
        .iter()
        .filter_map(|details| details.project.related_opportunity_id)
        .collect();
    let related = || records.iter().map(|details| &details.related_entity_identifiers);
    let all = |of: fn(&RelatedEntityIdentifiers) -> &Vec<String>| -> Vec<String> {
        related().flat_map(of).cloned().collect()
    };
    let solutions = all(|related| &related.solutions);
    let products = all(|related| &related.aws_products);
    let of_marketplace = related().any(|related| {
        !(related.aws_marketplace_solutions.is_empty() && related.aws_marketplace_products.is_empty())
    });
    let mut facts = Facts {
        policy,
        partner_types: known.unwrap_or_default().partner_types,
        own: own(tx, account, &named).await?,
        solutions: BTreeSet::new(),
        products: BTreeSet::new(),
        subsidiaries: BTreeSet::new(),
    };
    // Most records name none of these.
    if !solutions.is_empty() {
        facts
            .solutions
            .extend(active_solutions(tx, account, &solutions).await?);
    }
    if !products.is_empty() {
        facts.products.extend(known_products(tx, &products).await?);
    }
    if of_marketplace {
        facts.subsidiaries.extend(subsidiaries(tx, account).await?);
    }
    Ok(facts)
}

/// Those of these records that an account has.
async fn own(
    tx: &mut Tx,
    account: &AccountId,
    named: &[OpportunityId],
) -> Result<BTreeSet<OpportunityId>, Error> {
    if named.is_empty() {
        return Ok(BTreeSet::new());
    }
    let numbers: Vec<_> = named.iter().map(|id| id.number()).collect();
    let rows = sqlx::query!(
        "SELECT opportunity_id FROM opportunity WHERE account_id = $1 AND opportunity_id = ANY($2)",
        account.as_str(),
        &numbers,
    )
    .fetch_all(tx.conn())
    .await?;
    let ids = rows
        .iter()
        .filter_map(|row| OpportunityId::from_number(row.opportunity_id));
    Ok(ids.collect())
}
