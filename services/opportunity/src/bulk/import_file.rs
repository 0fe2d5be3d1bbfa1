//! Reads an import file row by row, so that memory use does not depend on the size of the file.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Read};

use cosell_types::{FieldPath, Violation, ViolationCode};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::domain::columns::{self, COLUMNS, OPPORTUNITY_ID};
use crate::domain::values::{FileFormat, ImportMode};

/// Rows in one batch, which one statement inserts.
const BATCH_SIZE: usize = 500;

/// Reads up to `max_rows` rows of a file and sends them in batches. Returns the header of a CSV file, or the violations
/// of the file as a whole. Blocks.
pub fn read_rows(
    (format, mode): (FileFormat, ImportMode),
    file: impl Read,
    max_rows: u32,
    batches: mpsc::Sender<Vec<Value>>,
) -> Result<Vec<String>, Vec<Violation>> {
    let mut batches = BatchSender {
        batches,
        batch: Vec::new(),
        rows_left: max_rows,
        max_rows,
    };
    let header = match format {
        FileFormat::Csv => read_csv(mode, file, &mut batches),
        FileFormat::JsonLines => read_lines(file, &mut batches).map(|()| Vec::new()),
    }?;
    batches.send();
    Ok(header)
}

fn read_csv(
    mode: ImportMode,
    file: impl Read,
    batches: &mut BatchSender,
) -> Result<Vec<String>, Vec<Violation>> {
    let mut file = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let header: Vec<_> = match file.headers() {
        Ok(header) => header.iter().map(ToOwned::to_owned).collect(),
        Err(error) => return Err(vec![invalid_csv(&error)]),
    };
    let violations = header_violations(mode, &header);
    if !violations.is_empty() {
        return Err(violations);
    }
    for row in file.records() {
        let row = row.map_err(|error| vec![invalid_csv(&error)])?;
        if row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let cells = row.iter().map(|cell| Value::String(cell.replace('\0', "")));
        batches.add(Value::Array(cells.collect()))?;
    }
    Ok(header)
}

fn read_lines(file: impl Read, batches: &mut BatchSender) -> Result<(), Vec<Violation>> {
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|error| vec![unreadable(&error)])?;
        if !line.trim().is_empty() {
            batches.add(Value::String(line.replace('\0', "")))?;
        }
    }
    Ok(())
}

/// Checks the header of a CSV file. Unknown columns are ignored.
fn header_violations(mode: ImportMode, header: &[String]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut names = BTreeSet::new();
    for name in header {
        if let Some(column) = columns::find_column(name)
            && !names.insert(column.name)
        {
            violations.push(content_violation(
                ViolationCode::DuplicateKeyValue,
                format!("Must not have the column `{name}` twice."),
            ));
        }
    }
    if mode == ImportMode::Update {
        if !header.iter().any(|name| columns::is_id_column(name)) {
            let text = format!("Must have the column `{OPPORTUNITY_ID}`, which identifies the opportunity.");
            violations.push(content_violation(ViolationCode::RequiredFieldMissing, text));
        }
        return violations;
    }
    for column in COLUMNS
        .iter()
        .filter(|column| column.is_required && !names.contains(column.name))
    {
        let text = format!("Must have the column `{}`.", column.name);
        violations.push(content_violation(ViolationCode::RequiredFieldMissing, text));
    }
    violations
}

struct BatchSender {
    batches: mpsc::Sender<Vec<Value>>,
    batch: Vec<Value>,
    rows_left: u32,
    max_rows: u32,
}

impl BatchSender {
    fn add(&mut self, row: Value) -> Result<(), Vec<Violation>> {
        let Some(rows_left) = self.rows_left.checked_sub(1) else {
            let text = format!("Can have at most {} rows.", self.max_rows);
            return Err(vec![content_violation(ViolationCode::TooManyValues, text)]);
        };
        self.rows_left = rows_left;
        self.batch.push(row);
        if self.batch.len() == BATCH_SIZE {
            self.send();
        }
        Ok(())
    }

    /// Sends the current batch. Fails only when the receiver has ended with an error of its own, which is the one that
    /// counts.
    fn send(&mut self) {
        if !self.batch.is_empty() {
            let _ = self.batches.blocking_send(std::mem::take(&mut self.batch));
        }
    }
}

fn invalid_csv(error: &csv::Error) -> Violation {
    match error.kind() {
        csv::ErrorKind::Io(error) => unreadable(error),
        csv::ErrorKind::Utf8 { .. } => unreadable(&io::ErrorKind::InvalidData.into()),
        _ => unreadable(&io::ErrorKind::Other.into()),
    }
}

fn unreadable(error: &io::Error) -> Violation {
    match error.kind() {
        io::ErrorKind::InvalidData => content_violation(
            ViolationCode::InvalidStringFormat,
            "Must be UTF-8 text.".to_owned(),
        ),
        _ => content_violation(ViolationCode::InvalidStringFormat, "Cannot be read.".to_owned()),
    }
}

fn content_violation(code: ViolationCode, text: String) -> Violation {
    let root = FieldPath::root();
    Violation::new(&root.field("content"), code, text)
}
