//! Takes catalogues over from master lists: solutions of partners and products of AWS.

use std::io::BufRead;

use anyhow::{Context as _, bail, ensure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::catalog_service_client::CatalogServiceClient;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::Deserialize;
use serde_json::Value;
use tonic::Request;
use tonic::transport::Channel;

/// As many as a request takes.
const BATCH: usize = 500;

/// What became of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Records that were new.
    pub created: i32,
    /// Records that were there and are now as stated.
    pub updated: i32,
    /// Records that were there as stated.
    pub unchanged: i32,
}

/// Records that go into one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Batch {
    /// Solutions of an account.
    Solutions(String, Vec<pb::Solution>),
    /// Products.
    Products(Vec<pb::Product>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(alias = "accountId")]
    account_id: Option<String>,
    solution: Option<Value>,
    product: Option<Value>,
}

/// The records of a text with one a line: `{"accountId": "…", "solution": {…}}` or `{"product": {…}}`, each in the JSON
/// form of Protocol Buffers. A catalogue is small, and nothing of it is sent when a line of it cannot be read.
pub fn batches(text: impl BufRead) -> anyhow::Result<Vec<Batch>> {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).context("the definitions")?;
    let mut batches = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.with_context(|| format!("line {number}"))?;
        if !line.trim().is_empty() {
            add(&mut batches, &pool, &line).with_context(|| format!("line {number}"))?;
        }
    }
    Ok(batches)
}

fn add(batches: &mut Vec<Batch>, pool: &DescriptorPool, line: &str) -> anyhow::Result<()> {
    match (serde_json::from_str::<Line>(line)?, batches.last_mut()) {
        (
            Line {
                account_id: Some(account),
                solution: Some(given),
                product: None,
            },
            last,
        ) => {
            let solution = message(pool, "cosell.opportunity.v1.Solution", given)?;
            match last {
                Some(Batch::Solutions(of, list)) if *of == account && list.len() < BATCH => {
                    list.push(solution)
                }
                _ => batches.push(Batch::Solutions(account, vec![solution])),
            }
        }
        (
            Line {
                account_id: None,
                solution: None,
                product: Some(given),
            },
            last,
        ) => {
            let product = message(pool, "cosell.opportunity.v1.Product", given)?;
            match last {
                Some(Batch::Products(list)) if list.len() < BATCH => list.push(product),
                _ => batches.push(Batch::Products(vec![product])),
            }
        }
        _ => bail!("a line has `accountId` and `solution`, or `product`"),
    }
    Ok(())
}

fn message<M: prost::Message + Default>(
    pool: &DescriptorPool,
    name: &str,
    given: Value,
) -> anyhow::Result<M> {
    let form = pool
        .get_message_by_name(name)
        .context("the definition of a record")?;
    let message = DynamicMessage::deserialize(form, given)?;
    Ok(M::decode(message.encode_to_vec().as_slice())?)
}

/// Applies records by a service's token, batch by batch.
pub async fn load(
    channel: Channel,
    token: &str,
    batches: Vec<Batch>,
    validate_only: bool,
) -> anyhow::Result<Summary> {
    ensure!(!batches.is_empty(), "the list is empty");
    let mut calls = CatalogServiceClient::new(channel);
    let mut summary = Summary::default();
    for batch in batches {
        let (created, updated, unchanged) = match batch {
            Batch::Solutions(account_id, solutions) => {
                let request = pb::ApplySolutionsRequest {
                    account_id,
                    solutions,
                    validate_only,
                    ..Default::default()
                };
                let answer = calls.apply_solutions(signed(request, token)?).await?.into_inner();
                (answer.created, answer.updated, answer.unchanged)
            }
            Batch::Products(products) => {
                let request = pb::ApplyProductsRequest {
                    products,
                    validate_only,
                    ..Default::default()
                };
                let answer = calls.apply_products(signed(request, token)?).await?.into_inner();
                (answer.created, answer.updated, answer.unchanged)
            }
        };
        summary.created += created;
        summary.updated += updated;
        summary.unchanged += unchanged;
    }
    Ok(summary)
}

fn signed<M>(message: M, token: &str) -> anyhow::Result<Request<M>> {
    let mut request = Request::new(message);
    request
        .metadata_mut()
        .insert("authorization", format!("Bearer {token}").parse()?);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRODUCT: &str = r#"{"product": {"productId": "AmazonEC2", "name": "Amazon EC2"}}"#;

    fn solution(account: &str, number: usize) -> String {
        format!(
            r#"{{"accountId": "{account}", "solution": {{"solution_id": "S-{number}", "name": "One",
                "status": "SOLUTION_STATUS_ACTIVE", "category": "Software Product"}}}}"#
        )
        .replace('\n', " ")
    }

    #[test]
    fn opp_046_a_batch_is_of_one_account_and_has_room_for_so_many() {
        let mut lines: Vec<_> = (0..=BATCH)
            .map(|number| solution("111111111111", number))
            .collect();
        lines.push(String::new());
        lines.push(solution("222222222222", 1));
        lines.extend([PRODUCT.to_owned(), PRODUCT.to_owned()]);
        let batches = batches(lines.join("\n").as_bytes()).expect("batches");
        let sizes: Vec<_> = batches
            .iter()
            .map(|batch| match batch {
                Batch::Solutions(account, list) => (account.as_str(), list.len()),
                Batch::Products(list) => ("", list.len()),
            })
            .collect();
        assert_eq!(
            sizes,
            [
                ("111111111111", BATCH),
                ("111111111111", 1),
                ("222222222222", 1),
                ("", 2)
            ]
        );
    }

    #[test]
    fn opp_046_a_line_that_is_no_record_is_named() {
        for wrong in [
            "{}",
            r#"{"product": {"nothing": 1}}"#,
            r#"{"solution": {}}"#,
            "nothing",
        ] {
            let text = format!("{PRODUCT}\n{wrong}");
            let error = batches(text.as_bytes()).expect_err("no record");
            assert!(format!("{error:#}").starts_with("line 2: "), "{wrong}: {error:#}");
        }
    }
}
