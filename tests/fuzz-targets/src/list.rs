//! The lists of `cosell directory apply` and `cosell reference load`.

use std::io::Cursor;
use std::sync::{LazyLock, PoisonError};

use cosell::directory;
use cosell::reference::{self, Batch, Records};
use cosell_proto::cosell::partner::v1::ApplyDirectoryRequest;
use futures::StreamExt as _;
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};

use crate::support::block_on;

/// The maximum number of records in a request.
const MAX_BATCH: usize = 500;
/// The longest part of an error's text that is not the text of its line.
const MAX_ERROR: usize = 1024;

static DESCRIPTORS: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(cosell_proto::DESCRIPTORS).expect("descriptors"));

/// A list of accounts and members, with one record a line.
pub fn directory_list(data: &[u8]) {
    let (records, errors) = read_directory(data);
    let lines = data.split(|byte| *byte == b'\n').count();
    assert!(records.len() + errors.len() <= lines);
    assert!(records.is_sorted_by(|one, next| one.number < next.number));
    for (number, error) in &errors {
        assert!(records.iter().all(|record| record.number != *number));
        assert!(
            error.len() <= data.len() * 4 + MAX_ERROR,
            "an error of {} bytes",
            error.len()
        );
    }
    let lines: Vec<_> = records.iter().map(|record| to_json(record).to_string()).collect();
    let (again, errors) = read_directory(lines.join("\n").as_bytes());
    assert_eq!(errors, []);
    let numbered = (1..).zip(records);
    let expected = numbered.map(|(number, record)| ApplyDirectoryRequest { number, ..record });
    assert_eq!(again, expected.collect::<Vec<_>>());
}

fn read_directory(data: &[u8]) -> (Vec<ApplyDirectoryRequest>, Vec<(i64, String)>) {
    let (records, errors) = directory::read_lines(Cursor::new(data.to_vec()), false).expect("descriptors");
    let records = block_on(records.collect());
    let errors = errors.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (records, errors)
}

/// A list of solutions and products, with one record a line.
pub fn reference_list(data: &[u8]) {
    let batches = match reference::read_batches(data) {
        Ok(batches) => batches,
        Err(error) => {
            let error = format!("{error:#}");
            assert!(error.starts_with("line "), "{error}");
            return assert!(
                error.len() <= data.len() * 4 + MAX_ERROR,
                "an error of {} bytes",
                error.len()
            );
        }
    };
    let mut lines = Vec::new();
    for batch in &batches {
        let count = match &batch.records {
            Records::Solutions(account, solutions) => {
                let line =
                    |solution| json!({ "accountId": account, "solution": to_json(solution) }).to_string();
                lines.extend(solutions.iter().map(line));
                solutions.len()
            }
            Records::Products(products) => {
                lines.extend(
                    products
                        .iter()
                        .map(|product| json!({ "product": to_json(product) }).to_string()),
                );
                products.len()
            }
        };
        assert!((1..=MAX_BATCH).contains(&count));
    }
    let again = reference::read_batches(lines.join("\n").as_bytes()).expect("the same batches");
    let records = |batches: Vec<Batch>| batches.into_iter().map(|batch| batch.records).collect::<Vec<_>>();
    assert_eq!(records(again), records(batches));
}

fn to_json<M: Message + Name>(message: &M) -> Value {
    let descriptor = DESCRIPTORS
        .get_message_by_name(&M::full_name())
        .expect("a descriptor");
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).expect("a message");
    serde_json::to_value(&message).expect("JSON")
}
