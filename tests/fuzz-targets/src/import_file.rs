//! Files to import: tables, and lines of JSON (OPP-080 to OPP-086).

use std::io::Read;

use cosell_opportunity::domain::columns::escape_formula;
use cosell_opportunity::domain::values::{FileFormat, ImportMode};
use cosell_opportunity::fuzzing::{self, Row};
use cosell_types::{OpportunityId, Violation};
use serde_json::Value;

use crate::support::{assert_bounded, assert_described};

const MODES: [ImportMode; 3] = [
    ImportMode::Create,
    ImportMode::CreateAndSubmit,
    ImportMode::Update,
];
const MAX_ROWS: u32 = 1000;
const MAX_COLUMNS: usize = 256;
/// The rows whose cells are read: the others pass the same code.
const CHECKED_ROWS: usize = 5;
/// The first bytes of a file, in which the header is searched.
const PREFIX: usize = 64 * 1024;

type Content = (Vec<String>, Vec<Value>);

/// A file in CSV.
pub fn csv(data: &[u8]) {
    // For the header only this distinction counts.
    let (new, existing) = (ImportMode::Create, ImportMode::Update);
    if let Ok((header, rows)) = read(FileFormat::Csv, new, data) {
        check_table(new, &header, &rows);
        check_table(ImportMode::CreateAndSubmit, &header, &rows);
    }
    let content = read_in_pieces(FileFormat::Csv, existing, data);
    if let Ok((header, rows)) = content {
        check_table(existing, &header, &rows);
        let file = write(&header, &rows);
        // The header of a longer file may be outside of the bytes in which it is searched.
        if file.len() <= PREFIX {
            assert_eq!(read(FileFormat::Csv, existing, &file), Ok((header, rows)));
        }
    }
}

/// A file with one JSON object a line.
pub fn json_lines(data: &[u8]) {
    let Ok((header, lines)) = read_in_pieces(FileFormat::JsonLines, ImportMode::Create, data) else {
        return;
    };
    assert!(header.is_empty());
    let texts = lines.iter().map(|line| line.as_str().expect("a line"));
    let texts: Vec<_> = texts.collect();
    assert!(
        texts
            .iter()
            .all(|line| !line.is_empty() && line.trim_end() == *line)
    );
    let file = [b"\xef\xbb\xbf", texts.join("\n").as_bytes()].concat();
    assert_eq!(
        read(FileFormat::JsonLines, ImportMode::Create, &file),
        Ok((header, lines.clone()))
    );
    for mode in MODES {
        for row in fuzzing::read_rows(mode, &[], &lines) {
            check_row(&row);
        }
    }
    for text in texts {
        if let Ok(object) = serde_json::from_str(text) {
            check_opportunity(object);
        }
    }
}

/// Reads a file at once, and in small pieces, which must make no difference.
fn read_in_pieces(format: FileFormat, mode: ImportMode, data: &[u8]) -> Result<Content, Vec<Violation>> {
    let content = read(format, mode, data);
    assert_eq!(
        fuzzing::read_file(format, mode, InPieces(data), MAX_ROWS),
        content
    );
    content
}

fn read(format: FileFormat, mode: ImportMode, data: &[u8]) -> Result<Content, Vec<Violation>> {
    let content = fuzzing::read_file(format, mode, data, MAX_ROWS);
    match &content {
        Ok((_, rows)) => assert!(rows.len() <= MAX_ROWS as usize),
        Err(violations) => {
            assert!(!violations.is_empty());
            assert_described(violations);
        }
    }
    content
}

/// Returns three bytes at a time.
struct InPieces<'a>(&'a [u8]);

impl Read for InPieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(3);
        self.0.read(&mut buffer[..length])
    }
}

fn cells(row: &Value) -> Vec<String> {
    let cells = row.as_array().expect("cells").iter();
    cells
        .map(|cell| cell.as_str().expect("a text").to_owned())
        .collect()
}

/// The table as a file that states its separator: in a new header another one may name more columns.
fn write(header: &[String], rows: &[Value]) -> Vec<u8> {
    let line = |cells: &[String]| fuzzing::write_line(cells).expect("a line");
    let mut file = b"sep=,\r\n".to_vec();
    file.extend(line(header));
    file.extend(rows.iter().flat_map(|row| line(&cells(row))));
    file
}

fn check_table(mode: ImportMode, header: &[String], rows: &[Value]) {
    assert!(header.len() <= MAX_COLUMNS);
    assert!(header.iter().all(|name| !name.contains('\0')));
    assert!(rows.iter().all(|row| cells(row).len() <= MAX_COLUMNS));
    let longer = |row| cells(row).into_iter().chain([String::new()]).collect();
    let escaped = |row| {
        cells(row)
            .iter()
            .map(|cell| escape_formula(cell).into_owned())
            .collect()
    };
    let rows = &rows[..rows.len().min(CHECKED_ROWS)];
    let longer: Vec<Value> = rows.iter().map(longer).collect();
    let escaped: Vec<Value> = rows.iter().map(escaped).collect();
    let all = [rows, &longer, &escaped].concat();
    let all = fuzzing::read_rows(mode, header, &all);
    for (index, row) in all.iter().enumerate().take(rows.len()) {
        check_row(row);
        let (longer, escaped) = (&all[index + rows.len()], &all[index + 2 * rows.len()]);
        assert_eq!(longer.hash, row.hash, "a blank cell at the end");
        // An id that would be escaped is none.
        let is_id = row.content.0.parse::<OpportunityId>().is_ok();
        assert!(!is_id || escaped.content.0 == row.content.0);
        let without_id = |row: &Row| (row.content.1, row.content.2.clone(), row.violations.clone());
        assert_eq!(
            without_id(escaped),
            without_id(row),
            "the cells of the result file"
        );
        assert_eq!(escaped.hash, row.hash, "the cells of the result file");
    }
}

fn check_row(row: &Row) {
    assert_described(&row.violations);
    let (_, revision, details) = &row.content;
    assert!(*revision >= 0 || !row.violations.is_empty());
    let stored = serde_json::to_vec(details).expect("JSON");
    assert_eq!(serde_json::from_slice(&stored).ok().as_ref(), Some(details));
}

fn check_opportunity(object: Value) {
    match fuzzing::opportunity_from_json(object) {
        Ok(opportunity) => {
            let object = fuzzing::opportunity_to_json(&opportunity).expect("JSON");
            assert_eq!(fuzzing::opportunity_from_json(object), Ok(opportunity));
        }
        Err(text) => assert_bounded(&text),
    }
}
