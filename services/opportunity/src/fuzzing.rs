//! Entries to the decoders of import files and page tokens, for the fuzz targets (tests/fuzz-targets) and for nothing else.
//! Outside of tests a file arrives as a stream of messages, and its rows pass through the database.

use std::io::Read;
use std::ops::ControlFlow;

use cosell_grpc::{Failure, PageQuery};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::Violation;
use serde_json::Value;

use crate::bulk::row_reader::{ParsedRow, RowReader};
use crate::bulk::{csv_line, import_file, opportunity_json};
use crate::domain::Details;
use crate::domain::job::Plan;
use crate::domain::values::{FileFormat, ImportMode};
use crate::store::list::SortKey;

/// The header and the rows of a file.
pub fn read_file(
    format: FileFormat,
    mode: ImportMode,
    file: impl Read,
    max_rows: u32,
) -> Result<(Vec<String>, Vec<Value>), Vec<Violation>> {
    let mut rows = Vec::new();
    let header = import_file::read_rows((format, mode), file, max_rows, &mut |batch| {
        rows.extend(batch);
        ControlFlow::Continue(())
    })?;
    Ok((header, rows))
}

/// The content of a row.
#[derive(Debug, PartialEq)]
pub struct Row {
    /// The id of the opportunity, the revision, and the values.
    pub content: (String, i64, Details),
    /// Why the row is invalid.
    pub violations: Vec<Violation>,
    /// Equal for rows with the same content (OPP-084).
    pub hash: Vec<u8>,
}

/// Reads the rows of a file with this header. A row of JSON lines has none.
pub fn read_rows(mode: ImportMode, header: &[String], rows: &[Value]) -> Vec<Row> {
    let reader = RowReader::new(&Plan {
        mode: Some(mode),
        header: header.to_vec(),
        ..Plan::default()
    });
    let read = |row| {
        let ParsedRow {
            id,
            revision,
            details,
            violations,
            ..
        } = reader.read(row);
        Row {
            content: (id, revision, details),
            violations,
            hash: reader.hash(row),
        }
    };
    rows.iter().map(read).collect()
}

/// Writes a line of a table.
pub fn write_line(cells: &[String]) -> Result<Vec<u8>, Failure> {
    csv_line(cells.iter().map(String::as_str))
}

/// Parses an opportunity. The error is the description of a violation.
pub fn opportunity_from_json(value: Value) -> Result<pb::Opportunity, String> {
    opportunity_json::from_json(value)
}

/// Formats an opportunity.
pub fn opportunity_to_json(opportunity: &pb::Opportunity) -> Result<Value, Failure> {
    opportunity_json::to_json(opportunity)
}

/// Decodes a page token of ListOpportunities in each order. An order that accepts the token returns its text and number.
pub fn decode_page_token(query: &PageQuery, token: &str) -> Vec<Value> {
    let orders = [
        SortKey::UpdateTime,
        SortKey::Id,
        SortKey::CompanyName,
        SortKey::CreateTime,
        SortKey::TargetCloseDate,
    ];
    let decode = |order: SortKey| query.cursor(token, |cursor| order.is_valid_cursor(cursor)).ok()?;
    let accepted = orders.into_iter().filter_map(decode);
    accepted
        .filter_map(|cursor| serde_json::to_value(cursor).ok())
        .collect()
}
