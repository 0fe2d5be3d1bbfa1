//! Reads the rows of import files: cells of CSV, and lines of JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cosell_grpc::Failure;
use cosell_proto::Validate as _;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::{Violation, ViolationCode, json};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

use super::opportunity_json;
use super::violations::violation_at;
use crate::convert::selection::{SelectedDetails, selected_details};
use crate::domain::column_lookup;
use crate::domain::columns::{self, COLUMNS, Column, REVISION, unescape_formula};
use crate::domain::job::Plan;
use crate::domain::values::ImportMode;
use crate::domain::{Details, Field, Opportunity, is_government};
use crate::store::bulk_rows::BulkRow;

/// Reads the rows of one job.
pub struct RowReader {
    pub is_csv: bool,
    /// The number of columns of the file.
    width: usize,
    /// The columns of the template that the file has, in the order of the template, each with its position in the file.
    columns: Vec<(usize, &'static Column)>,
    id_column: Option<usize>,
    revision_column: Option<usize>,
    creates: bool,
    submits: bool,
}

const NEEDS: &str = "primary_needs_from_aws";
const NATIONAL_SECURITY: &str = "national_security";

/// The content of a row.
pub struct ParsedRow {
    pub id: String,
    /// The revision that the row was exported at; 0 if it has none.
    pub revision: i64,
    pub details: Details,
    /// The fields to update.
    pub selected: Vec<Field>,
    pub violations: Vec<Violation>,
    /// Whether the row could be read. Of any other, the details say nothing.
    pub is_readable: bool,
}

impl RowReader {
    pub fn new(plan: &Plan) -> Self {
        let header = &plan.header;
        Self {
            is_csv: !header.is_empty(),
            width: header.len(),
            columns: positions(header),
            id_column: header.iter().position(|name| columns::is_id_column(name)),
            revision_column: header.iter().position(|name| columns::is_revision_column(name)),
            creates: plan.mode != Some(ImportMode::Update),
            submits: plan.mode == Some(ImportMode::CreateAndSubmit),
        }
    }

    /// Reads a row of a new opportunity, or of one that is not known yet.
    pub fn read(&self, content: &Value) -> ParsedRow {
        match content {
            Value::Array(cells) => self.read_cells(cells, Details::default(), |_, _| true),
            other => self.read_object(other.as_str().unwrap_or_default()),
        }
    }

    /// Reads a row that updates an opportunity. A cell that is that of the record states nothing, because exports have all
    /// of them; a JSON line selects the fields that it has (OPP-086).
    pub fn read_update(&self, content: &Value, record: &Opportunity) -> ParsedRow {
        match content {
            Value::Array(cells) => {
                let details = record.details().clone();
                self.read_cells(cells, details, |column, cell| !is_shown(column, cell, record))
            }
            other => self.read_object(other.as_str().unwrap_or_default()),
        }
    }

    /// Returns a violation for each cell that would change a field that files cannot change (OPP-086).
    pub fn read_only_violations(&self, content: &Value, record: &Opportunity) -> Vec<Violation> {
        let Value::Array(cells) = content else {
            return Vec::new();
        };
        let read_only = self.columns.iter().filter(|(_, column)| column.field.is_none());
        let changed = read_only.filter_map(|(index, column)| {
            let cell = cells.get(*index)?.as_str().unwrap_or_default();
            (!is_shown(column, cell, record)).then_some(column)
        });
        let text =
            "Cannot be changed by an import. Use AssociateEntity, DisassociateEntity or UpdateOpportunity.";
        changed
            .map(|column| violation_at(column.path, ViolationCode::ActionNotPermitted, text))
            .collect()
    }

    /// Applies the cells that `states` selects to the details.
    fn read_cells(
        &self,
        cells: &[Value],
        details: Details,
        states: impl Fn(&Column, &str) -> bool,
    ) -> ParsedRow {
        let cell = |at: usize| cells.get(at).and_then(Value::as_str).unwrap_or_default();
        let mut parsed = ParsedRow {
            id: self.id_column.map(cell).unwrap_or_default().trim().to_owned(),
            revision: 0,
            details,
            selected: Vec::new(),
            violations: Vec::new(),
            is_readable: true,
        };
        // A file of new opportunities can have a column of this name for something else.
        let revision = self.revision_column.filter(|_| !self.creates).map(cell);
        match parse_revision(revision.unwrap_or_default()) {
            Some(revision) => parsed.revision = revision,
            None => {
                let text = "Must be the revision that was exported, such as 3, or blank.";
                let violation = violation_at(REVISION, ViolationCode::InvalidStringFormat, text);
                parsed.violations.push(violation);
            }
        }
        // In the order of the template, not of the file: the currency applies to the amount before it. Spreadsheets leave
        // out blank cells at the end of a row: they state nothing, so that an update does not clear what they stand for.
        let present = self
            .columns
            .iter()
            .filter(|(index, _)| self.creates || *index < cells.len());
        for (index, column) in present.filter(|(index, column)| states(column, cell(*index))) {
            column.read(&mut parsed.details, cell(*index), &mut parsed.violations);
            parsed.selected.extend(column.field);
        }
        let width = self.width;
        let is_blank = |cell: &Value| cell.as_str().unwrap_or_default().trim().is_empty();
        if !cells.iter().skip(width).all(is_blank) {
            let text = format!("The row has {} cells, but the header has {width}.", cells.len());
            let violation = violation_at("", ViolationCode::InvalidValue, text);
            parsed.violations.push(violation);
        }
        if self.creates && is_government(&parsed.details) && !self.has_value(NATIONAL_SECURITY, cells) {
            let text = "Is required in Government. Must be Yes or No.";
            parsed.violations.push(violation_at(
                NATIONAL_SECURITY,
                ViolationCode::RequiredFieldMissing,
                text,
            ));
        }
        if self.submits && parsed.details.primary_needs_from_aws.is_empty() && !self.has_value(NEEDS, cells) {
            parsed.violations.push(needs_missing());
        }
        parsed
    }

    /// Whether the cell of a field is not blank. A cell that states that there is no value is not blank.
    fn has_value(&self, path: &str, cells: &[Value]) -> bool {
        let column = self.columns.iter().find(|(_, column)| column.path == path);
        let cell = column
            .and_then(|(index, _)| cells.get(*index))
            .and_then(Value::as_str);
        cell.is_some_and(|cell| !cell.trim().is_empty())
    }

    fn read_object(&self, line: &str) -> ParsedRow {
        let unreadable = |violations| ParsedRow {
            id: String::new(),
            revision: 0,
            details: Details::default(),
            selected: Vec::new(),
            violations,
            is_readable: false,
        };
        let invalid = |text| unreadable(vec![violation_at("", ViolationCode::InvalidStringFormat, text)]);
        let object = match parse_object(line) {
            Ok(object) => object,
            Err(text) => return invalid(text),
        };
        let unknown_values = opportunity_json::unknown_enum_values(&object);
        if !unknown_values.is_empty() {
            return unreadable(unknown_values);
        }
        // An empty value selects its field, too: it clears it.
        let all = Field::ALL.iter().copied();
        let selected = all.filter(|field| has_path(&object, field.path())).collect();
        let has_needs = has_path(&object, NEEDS);
        let states_revision = object.get("revision").is_some_and(|revision| !revision.is_null());
        match opportunity_json::from_json(object) {
            Ok(record) => {
                let SelectedDetails {
                    details,
                    mut violations,
                    ..
                } = selected_details(Some(&record), None, &[]);
                violations.extend(record.violations());
                let revision = match stated_revision(&record, states_revision, self.creates) {
                    Ok(revision) => revision,
                    Err((field, text)) => {
                        violations.push(violation_at(field, ViolationCode::InvalidValue, text));
                        0
                    }
                };
                if self.submits && !has_needs {
                    violations.push(needs_missing());
                }
                ParsedRow {
                    id: record.opportunity_id,
                    revision,
                    details,
                    selected,
                    violations,
                    is_readable: true,
                }
            }
            Err(text) => invalid(text),
        }
    }

    /// The hash of the content of a row. The order of columns, blank cells, escaped formulas, kinds of line breaks and the
    /// columns of an earlier result do not affect it (OPP-084).
    pub fn hash(&self, content: &Value) -> Vec<u8> {
        let canonical = match content {
            Value::Array(cells) => {
                let cell =
                    |index: usize| comparable(cells.get(index).and_then(Value::as_str).unwrap_or_default());
                let columns = self.columns.iter().filter(|(index, _)| !cell(*index).is_empty());
                let values = columns.map(|(index, column)| (column.name, cell(*index)));
                // Cells beyond the header are a mistake, which another row does not have.
                let surplus = (self.width..cells.len()).map(|index| ("", cell(index)));
                let surplus = surplus.filter(|(_, cell)| !cell.is_empty());
                let values: BTreeSet<_> = values.chain(surplus).collect();
                serde_json::to_string(&values).unwrap_or_default()
            }
            other => parse_object(other.as_str().unwrap_or_default())
                .map_or_else(|_| String::new(), |object| object.to_string()),
        };
        Sha256::digest(canonical).to_vec()
    }
}

/// Whether a cell is what the column shows of the record.
fn is_shown(column: &Column, cell: &str, record: &Opportunity) -> bool {
    comparable(cell) == comparable(&column.show(record))
}

/// What spreadsheets keep of a cell: they change line breaks, and lose blanks at the ends and the escape of a formula.
fn comparable(cell: &str) -> String {
    unescape_formula(cell.trim())
        .replace("\r\n", "\n")
        .replace('\r', "\n")
}

/// Reads all rows on a thread for blocking work: of long rows this takes a while, in which a worker of the runtime would
/// serve nobody else.
pub async fn read_all<T: Send + 'static>(
    reader: &Arc<RowReader>,
    rows: &Arc<Vec<BulkRow>>,
    read: fn(&RowReader, &Value) -> T,
) -> Result<Vec<T>, Failure> {
    let (reader, rows) = (reader.clone(), rows.clone());
    let reading = spawn_blocking(move || rows.iter().map(|row| read(&reader, &row.content)).collect());
    reading.await.map_err(Failure::internal)
}

/// The positions of the columns of the template, in its order.
fn positions(header: &[String]) -> Vec<(usize, &'static Column)> {
    let mut positions = BTreeMap::new();
    for (index, name) in header.iter().enumerate() {
        if let Some(column) = column_lookup::find_column(name) {
            positions.entry(column.name).or_insert(index);
        }
    }
    let found = COLUMNS
        .iter()
        .filter_map(|column| Some((*positions.get(column.name)?, column)));
    found.collect()
}

/// The revision of a JSON line, or of its etag, which contains it; 0 if it states neither. An error is a field with the
/// description of its violation.
fn stated_revision(
    record: &pb::Opportunity,
    is_stated: bool,
    creates: bool,
) -> Result<i64, (&'static str, &'static str)> {
    // A line of new opportunities can be one of an export.
    if creates {
        return Ok(0);
    }
    if is_stated && record.revision <= 0 {
        return Err((
            "revision",
            "Must be the revision that was exported, such as 3, or absent.",
        ));
    }
    match parse_revision(&record.etag) {
        Some(0) => Ok(record.revision),
        Some(revision) if !is_stated || revision == record.revision => Ok(revision),
        _ => Err((
            "etag",
            "Must be the etag that was exported, such as \"3\", or absent.",
        )),
    }
}

/// The revision of a cell, 0 if it is blank; `None` if it is no revision. Spreadsheets may add a decimal or the quotes of
/// an etag.
fn parse_revision(cell: &str) -> Option<i64> {
    let cell = cell.trim();
    let unquoted = cell
        .strip_prefix('"')
        .and_then(|cell| cell.strip_suffix('"'))
        .unwrap_or(cell);
    match unquoted.strip_suffix(".0").unwrap_or(unquoted) {
        "" if cell.is_empty() => Some(0),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|revision| *revision > 0)
        }
        _ => None,
    }
}

/// Parses the object of a line and removes the fields that the result of an import has added. An error is the description
/// of a violation.
fn parse_object(line: &str) -> Result<Value, String> {
    let parsed = json::parse(line).map_err(|error| match json::is_duplicate_name(&error) {
        true => format!("Must have each name once: {error}."),
        false => NO_OBJECT.to_owned(),
    });
    let mut object = without_null_characters(parsed?);
    let fields = object.as_object_mut().ok_or(NO_OBJECT)?;
    if let Some(Value::String(line)) = fields.remove("_line") {
        return parse_object(&line);
    }
    fields.remove("_result");
    fields.remove("_details");
    Ok(object)
}

const NO_OBJECT: &str = "Must be a JSON object.";

/// The value with U+0000 left out of its texts, as it is left out of the cells of a table.
fn without_null_characters(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "")),
        Value::Array(items) => items.into_iter().map(without_null_characters).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name.replace('\0', ""), without_null_characters(value)))
            .collect(),
        other => other,
    }
}

/// Whether an object has a value at a path, with names in snake case or camel case.
fn has_path(object: &Value, path: &str) -> bool {
    let mut value = Some(object);
    for name in path.split('.') {
        value = value.and_then(|value| value.get(name).or_else(|| value.get(json::camel_case(name))));
    }
    value.is_some()
}

fn needs_missing() -> Violation {
    let text = "Is required for submission. State the needs, or that there are none: in CSV \
                `Do Not Need Support from AWS Sales Rep`, in JSON an empty list.";
    violation_at(NEEDS, ViolationCode::RequiredFieldMissing, text)
}
