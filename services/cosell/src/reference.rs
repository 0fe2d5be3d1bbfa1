//! Loads catalogs from a list: solutions of partners and products of AWS.

use std::io::BufRead;

use anyhow::{Context as _, bail, ensure};
use cosell_grpc::MAX_REQUEST;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::catalog_service_client::CatalogServiceClient;
use cosell_types::{json, text_file};
use prost::Message as _;
use prost_reflect::DynamicMessage;
use serde::Deserialize;
use serde_json::Value;
use tonic::Request;
use tonic::transport::Channel;

use crate::commands::explain_status_of_lines;
use crate::descriptors::POOL;

/// The maximum number of records in a request.
const BATCH: usize = 500;

/// The number of records by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// New records.
    pub created: i32,
    /// Existing records that were changed.
    pub updated: i32,
    /// Existing records without a difference.
    pub unchanged: i32,
}

/// The records of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The line of each record.
    pub lines: Vec<u64>,
    /// In the order of the lines.
    pub records: Records,
}

/// Records of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Records {
    /// The id of an account and its solutions.
    Solutions(String, Vec<pb::Solution>),
    /// AWS products, from the reference file.
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

/// Parses a list with one record a line: `{"accountId": "…", "solution": {…}}` or `{"product": {…}}`, in the canonical
/// JSON form of Protocol Buffers. Fails at the first invalid line, before anything is sent: catalogs are small.
pub fn read_batches(text: impl BufRead) -> anyhow::Result<Vec<Batch>> {
    let mut batches = Vec::new();
    for (number, line) in text_file::read_lines(text, MAX_REQUEST) {
        let line = line.map_err(anyhow::Error::from);
        line.and_then(|line| add_line(&mut batches, number, &line))
            .with_context(|| format!("line {number}"))?;
    }
    Ok(batches)
}

fn add_line(batches: &mut Vec<Batch>, number: u64, line: &str) -> anyhow::Result<()> {
    let record = match serde_json::from_value::<Line>(json::parse(line)?)? {
        Line {
            account_id: Some(account),
            solution: Some(json),
            product: None,
        } => Records::Solutions(account, vec![parse("cosell.opportunity.v1.Solution", json)?]),
        Line {
            account_id: None,
            solution: None,
            product: Some(json),
        } => Records::Products(vec![parse("cosell.opportunity.v1.Product", json)?]),
        _ => bail!("a line must have `accountId` and `solution`, or `product`"),
    };
    match (record, batches.last_mut()) {
        (
            Records::Solutions(account, mut solution),
            Some(Batch {
                lines,
                records: Records::Solutions(owner, list),
            }),
        ) if *owner == account && list.len() < BATCH => {
            lines.push(number);
            list.append(&mut solution);
        }
        (
            Records::Products(mut product),
            Some(Batch {
                lines,
                records: Records::Products(list),
            }),
        ) if list.len() < BATCH => {
            lines.push(number);
            list.append(&mut product);
        }
        (records, _) => batches.push(Batch {
            lines: vec![number],
            records,
        }),
    }
    Ok(())
}

fn parse<M: prost::Message + Default>(name: &str, json: Value) -> anyhow::Result<M> {
    let descriptor = POOL
        .get_message_by_name(name)
        .context("the descriptor of a record")?;
    let message = DynamicMessage::deserialize(descriptor, json)?;
    Ok(M::decode(message.encode_to_vec().as_slice())?)
}

/// Applies the batches in order with a service's token. Stops at the first refused batch.
pub async fn load(
    channel: Channel,
    token: &str,
    batches: Vec<Batch>,
    validate_only: bool,
) -> anyhow::Result<Summary> {
    ensure!(!batches.is_empty(), "the list is empty");
    let mut catalog = CatalogServiceClient::new(channel);
    let mut summary = Summary::default();
    for Batch { lines, records } in batches {
        let (created, updated, unchanged) = match records {
            Records::Solutions(account_id, solutions) => {
                let request = pb::ApplySolutionsRequest {
                    account_id,
                    solutions,
                    validate_only,
                    ..Default::default()
                };
                let response = catalog.apply_solutions(with_token(request, token)?).await;
                let response = response
                    .map_err(|status| explain_status_of_lines(&status, "solutions", &lines))?
                    .into_inner();
                (response.created, response.updated, response.unchanged)
            }
            Records::Products(products) => {
                let request = pb::ApplyProductsRequest {
                    products,
                    validate_only,
                    ..Default::default()
                };
                let response = catalog.apply_products(with_token(request, token)?).await;
                let response = response
                    .map_err(|status| explain_status_of_lines(&status, "products", &lines))?
                    .into_inner();
                (response.created, response.updated, response.unchanged)
            }
        };
        summary.created += created;
        summary.updated += updated;
        summary.unchanged += unchanged;
    }
    Ok(summary)
}

fn with_token<M>(message: M, token: &str) -> anyhow::Result<Request<M>> {
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
    fn opp_046_batch_has_one_account_and_limited_size() {
        let mut lines: Vec<_> = (0..=BATCH)
            .map(|number| solution("111111111111", number))
            .collect();
        lines.push(String::new());
        lines.push(solution("222222222222", 1));
        lines.extend([PRODUCT.to_owned(), PRODUCT.to_owned()]);
        let batches = read_batches(lines.join("\n").as_bytes()).expect("batches");
        let sizes: Vec<_> = batches
            .iter()
            .map(|batch| match &batch.records {
                Records::Solutions(account, list) => (account.as_str(), list.len()),
                Records::Products(list) => ("", list.len()),
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
        // After a blank line.
        assert_eq!(batches[2].lines, [BATCH as u64 + 3]);
        assert_eq!(batches[3].lines.len(), 2);
    }

    #[test]
    fn opp_046_invalid_line_is_reported_by_number() {
        for invalid in [
            "{}",
            r#"{"product": {"nothing": 1}}"#,
            r#"{"solution": {}}"#,
            "nothing",
        ] {
            let text = format!("{PRODUCT}\n{invalid}");
            let error = read_batches(text.as_bytes()).expect_err("an error");
            assert!(
                format!("{error:#}").starts_with("line 2: "),
                "{invalid}: {error:#}"
            );
        }
    }
}
