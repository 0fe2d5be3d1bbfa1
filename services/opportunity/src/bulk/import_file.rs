//! Reads an import file row by row, so that memory use does not depend on the size of the file.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;

use cosell_types::text_file::{self, LineError};
use cosell_types::{Violation, ViolationCode};
use serde_json::Value;

use super::csv_guard::{CsvGuard, GuardError, MAX_ROW_BYTES};
use super::table_format::{PREFIX, TableFormat, read_table_format, skip_byte_order_mark};
use super::violations::{save_as, violation_at};
use crate::domain::column_lookup;
use crate::domain::columns::{self, COLUMNS, OPPORTUNITY_ID};
use crate::domain::values::{FileFormat, ImportMode};

/// Rows in one batch, which one statement inserts.
const BATCH_SIZE: usize = 500;

/// Receives the rows of a file in batches. Breaks when the caller needs no more of them.
pub type BatchSink<'a> = &'a mut dyn FnMut(Vec<Value>) -> ControlFlow<()>;

/// Reads up to `max_rows` rows of a file in batches. Returns the header of a CSV file, or the violations of the file as a
/// whole. Blocks; memory and the work for a row are bounded.
pub fn read_rows(
    (format, mode): (FileFormat, ImportMode),
    mut file: impl Read,
    max_rows: u32,
    sink: BatchSink<'_>,
) -> Result<Vec<String>, Vec<Violation>> {
    let mut prefix = Vec::new();
    let read = file.by_ref().take(PREFIX as u64).read_to_end(&mut prefix);
    read.map_err(|error| vec![unreadable(&error)])?;
    let mut batches = Batches {
        sink,
        batch: Vec::new(),
        rows_left: max_rows,
        max_rows,
    };
    let header = match format {
        FileFormat::Csv => {
            let table = read_table_format(&prefix)?;
            let content = prefix[table.skipped..].chain(file);
            let guard = CsvGuard::new(content, table.separator, table.header_line);
            read_csv(mode, table, guard, &mut batches)
        }
        FileFormat::JsonLines => {
            let skipped = skip_byte_order_mark(format, &prefix)?;
            let content = prefix[skipped..].chain(file);
            read_lines(BufReader::new(content), &mut batches).map(|()| Vec::new())
        }
    }?;
    batches.flush()?;
    Ok(header)
}

fn read_csv(
    mode: ImportMode,
    table: TableFormat,
    file: impl Read,
    batches: &mut Batches<'_>,
) -> Result<Vec<String>, Vec<Violation>> {
    let mut file = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(table.separator)
        .from_reader(file);
    let invalid = |error: csv::Error| match error.kind() {
        csv::ErrorKind::Io(error) => vec![unreadable(error)],
        _ => vec![unreadable(&io::ErrorKind::Other.into())],
    };
    let header: Vec<_> = file.headers().map_err(invalid)?.iter().map(storable).collect();
    let violations = header_violations(mode, &header);
    if !violations.is_empty() {
        return Err(violations);
    }
    for row in file.records() {
        let row = row.map_err(invalid)?;
        let cells: Vec<_> = row.iter().map(storable).collect();
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            batches.add(cells.into())?;
        }
    }
    Ok(header)
}

fn read_lines(file: impl BufRead, batches: &mut Batches<'_>) -> Result<(), Vec<Violation>> {
    for (number, line) in text_file::read_lines(file, MAX_ROW_BYTES) {
        let line = line.map_err(|error| vec![invalid_line(number, &error)])?;
        let line = storable(&line);
        if !line.trim().is_empty() {
            batches.add(line.trim_end().into())?;
        }
    }
    Ok(())
}

/// The text without U+0000, which PostgreSQL stores neither in a text nor in JSON.
fn storable(text: &str) -> String {
    text.replace('\0', "")
}

/// Checks the header of a CSV file. Unknown columns are ignored.
fn header_violations(mode: ImportMode, header: &[String]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut names = BTreeSet::new();
    for name in header {
        if let Some(known) = column_lookup::known_name(name)
            && !names.insert(known)
        {
            violations.push(violation_at(
                "content",
                ViolationCode::DuplicateKeyValue,
                format!("Must not have the column `{name}` twice."),
            ));
        }
    }
    if mode == ImportMode::Update {
        if !header.iter().any(|name| columns::is_id_column(name)) {
            let text = format!("Must have the column `{OPPORTUNITY_ID}`, which identifies the opportunity.");
            violations.push(violation_at("content", ViolationCode::RequiredFieldMissing, text));
        }
        return violations;
    }
    for column in COLUMNS
        .iter()
        .filter(|column| column.is_required && !names.contains(column.name))
    {
        let text = format!("Must have the column `{}`.", column.name);
        violations.push(violation_at("content", ViolationCode::RequiredFieldMissing, text));
    }
    violations
}

struct Batches<'a> {
    sink: BatchSink<'a>,
    batch: Vec<Value>,
    rows_left: u32,
    max_rows: u32,
}

impl Batches<'_> {
    fn add(&mut self, row: Value) -> Result<(), Vec<Violation>> {
        let Some(rows_left) = self.rows_left.checked_sub(1) else {
            let text = format!("Can have at most {} rows.", self.max_rows);
            return Err(vec![violation_at("content", ViolationCode::TooManyValues, text)]);
        };
        self.rows_left = rows_left;
        self.batch.push(row);
        if self.batch.len() == BATCH_SIZE {
            self.flush()?;
        }
        Ok(())
    }

    /// Sends the current batch to the sink. Fails without a violation if the sink breaks: the caller returns its own error
    /// then.
    fn flush(&mut self) -> Result<(), Vec<Violation>> {
        if self.batch.is_empty() || (self.sink)(std::mem::take(&mut self.batch)).is_continue() {
            Ok(())
        } else {
            Err(Vec::new())
        }
    }
}

fn invalid_line(number: u64, error: &LineError) -> Violation {
    let (code, advice) = match error {
        LineError::TooLong(_) => (ViolationCode::ValueOutOfRange, ""),
        LineError::NotUtf8 => (ViolationCode::InvalidStringFormat, save_as(FileFormat::JsonLines)),
        LineError::Unreadable(error) => return unreadable(error),
    };
    violation_at(
        "content",
        code,
        format!("Line {number} {error}. {advice}").trim_end(),
    )
}

fn unreadable(error: &io::Error) -> Violation {
    match GuardError::find(error) {
        Some(error) => violation_at("content", error.code, error.text.clone()),
        None => violation_at(
            "content",
            ViolationCode::InvalidStringFormat,
            "Cannot be read.".to_owned(),
        ),
    }
}
