use std::collections::BTreeSet;

use cosell_store::{Error, Tx};
use cosell_types::{AccountId, OpportunityId};

use super::products::find_products;
use super::solutions::find_active_solutions;
use super::subsidiaries::list_subsidiaries;
use crate::domain::values::RelatedEntityType;
use crate::domain::{Details, Facts, Policy};

/// Loads the facts that the rules need about an account and about the entities that these records of it reference.
pub async fn load_facts<'a>(
    tx: &mut Tx,
    policy: &'a Policy,
    account: &AccountId,
    records: &[&Details],
) -> Result<Facts<'a>, Error> {
    let account_facts = cosell_members::account_facts(tx, account).await?;
    let related_opportunities: Vec<_> = records
        .iter()
        .filter_map(|details| details.project.related_opportunity_id)
        .collect();
    let related = || records.iter().map(|details| &details.related_entity_identifiers);
    let all_ids = |kind: RelatedEntityType| -> Vec<String> {
        // Invalid and further ids are refused with all other violations; PostgreSQL takes no text with U+0000.
        related()
            .flat_map(|related| related.identifiers(kind).iter().take(kind.limit()))
            .filter(|id| !id.contains('\0'))
            .cloned()
            .collect()
    };
    let solutions = all_ids(RelatedEntityType::Solutions);
    let products = all_ids(RelatedEntityType::AwsProducts);
    let references_marketplace = related().any(|related| {
        !(related.aws_marketplace_solutions.is_empty() && related.aws_marketplace_products.is_empty())
    });
    let mut facts = Facts {
        policy,
        partner_types: account_facts.unwrap_or_default().partner_types,
        own_opportunities: find_own_opportunities(tx, account, &related_opportunities).await?,
        solutions: BTreeSet::new(),
        products: BTreeSet::new(),
        subsidiaries: BTreeSet::new(),
    };
    // Most records reference none of these.
    if !solutions.is_empty() {
        facts
            .solutions
            .extend(find_active_solutions(tx, account, &solutions).await?);
    }
    if !products.is_empty() {
        facts.products.extend(find_products(tx, &products).await?);
    }
    if references_marketplace {
        facts.subsidiaries.extend(list_subsidiaries(tx, account).await?);
    }
    Ok(facts)
}

/// Returns those of these ids that are opportunities of the account.
async fn find_own_opportunities(
    tx: &mut Tx,
    account: &AccountId,
    ids: &[OpportunityId],
) -> Result<BTreeSet<OpportunityId>, Error> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let numbers: Vec<_> = ids.iter().map(|id| id.number()).collect();
    let rows = sqlx::query!(
        "SELECT opportunity_id FROM opportunity WHERE account_id = $1 AND opportunity_id = ANY($2)",
        account.as_str(),
        &numbers,
    )
    .fetch_all(tx.conn())
    .await?;
    let own = rows
        .iter()
        .filter_map(|row| OpportunityId::from_number(row.opportunity_id));
    Ok(own.collect())
}
