//! Reads a file, row by row, and holds no more of it than a few.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Read};

use cosell_types::{FieldPath, Violation, ViolationCode};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::domain::columns::{self, COLUMNS, OPPORTUNITY_ID};
use crate::domain::values::{FileFormat, ImportMode};

/// Rows that are written together.
const BATCH: usize = 500;

/// Reads all rows of a file, at most so many, and hands them on; the first line of a table, or what is wrong.
pub fn read(
    (format, mode): (FileFormat, ImportMode),
    file: impl Read,
    most: u32,
    rows: mpsc::Sender<Vec<Value>>,
) -> Result<Vec<String>, Vec<Violation>> {
    let mut batches = Batches {
        rows,
        batch: Vec::new(),
        left: most,
        most,
    };
    let header = match format {
        FileFormat::Csv => table(mode, file, &mut batches),
        FileFormat::JsonLines => lines(file, &mut batches).map(|()| Vec::new()),
    }?;
    batches.send();
    Ok(header)
}

fn table(mode: ImportMode, file: impl Read, batches: &mut Batches) -> Result<Vec<String>, Vec<Violation>> {
    let mut file = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let header: Vec<_> = match file.headers() {
        Ok(header) => header.iter().map(ToOwned::to_owned).collect(),
        Err(error) => return Err(vec![unreadable_table(&error)]),
    };
    let wrong = wrong_header(mode, &header);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    for row in file.records() {
        let row = row.map_err(|error| vec![unreadable_table(&error)])?;
        if row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let cells = row.iter().map(|cell| Value::String(cell.replace('\0', "")));
        batches.add(Value::Array(cells.collect()))?;
    }
    Ok(header)
}

fn lines(file: impl Read, batches: &mut Batches) -> Result<(), Vec<Violation>> {
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|error| vec![unreadable(&error)])?;
        if !line.trim().is_empty() {
            batches.add(Value::String(line.replace('\0', "")))?;
        }
    }
    Ok(())
}

/// What is wrong with the first line of a table. Columns that nobody knows are passed over.
fn wrong_header(mode: ImportMode, header: &[String]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for name in header {
        if let Some(column) = columns::find(name)
            && !seen.insert(column.name)
        {
            found.push(wrong(
                ViolationCode::DuplicateKeyValue,
                format!("has the column `{name}` twice"),
            ));
        }
    }
    if mode == ImportMode::Update {
        if !header.iter().any(|name| columns::is_id(name)) {
            let text = format!("lacks the column `{OPPORTUNITY_ID}`, which says what to update");
            found.push(wrong(ViolationCode::RequiredFieldMissing, text));
        }
        return found;
    }
    for column in COLUMNS
        .iter()
        .filter(|column| column.is_required && !seen.contains(column.name))
    {
        let text = format!("lacks the column `{}`", column.name);
        found.push(wrong(ViolationCode::RequiredFieldMissing, text));
    }
    found
}

/// Rows on their way.
struct Batches {
    rows: mpsc::Sender<Vec<Value>>,
    batch: Vec<Value>,
    left: u32,
    most: u32,
}

impl Batches {
    fn add(&mut self, row: Value) -> Result<(), Vec<Violation>> {
        let Some(left) = self.left.checked_sub(1) else {
            let text = format!("has more than {} rows", self.most);
            return Err(vec![wrong(ViolationCode::TooManyValues, text)]);
        };
        self.left = left;
        self.batch.push(row);
        if self.batch.len() == BATCH {
            self.send();
        }
        Ok(())
    }

    /// Whoever took them may be gone; then nothing is to be said any more either.
    fn send(&mut self) {
        if !self.batch.is_empty() {
            let _ = self.rows.blocking_send(std::mem::take(&mut self.batch));
        }
    }
}

fn unreadable_table(error: &csv::Error) -> Violation {
    match error.kind() {
        csv::ErrorKind::Io(error) => unreadable(error),
        csv::ErrorKind::Utf8 { .. } => unreadable(&io::ErrorKind::InvalidData.into()),
        _ => unreadable(&io::ErrorKind::Other.into()),
    }
}

fn unreadable(error: &io::Error) -> Violation {
    match error.kind() {
        io::ErrorKind::InvalidData => wrong(ViolationCode::InvalidStringFormat, "is not in UTF-8".to_owned()),
        _ => wrong(ViolationCode::InvalidStringFormat, "cannot be read".to_owned()),
    }
}

fn wrong(code: ViolationCode, text: String) -> Violation {
    let root = FieldPath::root();
    Violation::new(&root.field("content"), code, text)
}
