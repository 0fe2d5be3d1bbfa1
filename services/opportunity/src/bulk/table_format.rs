//! How an uploaded table is written: its encoding, its separator, and the line of its header. Spreadsheets write more than
//! RFC 4180 has.

use cosell_types::{Violation, ViolationCode, text_file};

use super::csv_guard::MAX_COLUMNS;
use super::violations::{save_as, violation_at};
use crate::domain::column_lookup;
use crate::domain::values::FileFormat;

/// Bytes at the start of a file from which its format is read.
pub const PREFIX: usize = 64 * 1024;
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
/// Lines that are searched for the header.
const MAX_LINES: usize = 20;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFormat {
    pub separator: u8,
    /// Bytes before the header: a byte order mark, and a line such as `sep=;`.
    pub skipped: usize,
    /// The number of the line of the header.
    pub header_line: u64,
}

/// The number of bytes of the byte order mark of a file, or the violation that it is no UTF-8 text.
pub fn skip_byte_order_mark(format: FileFormat, prefix: &[u8]) -> Result<usize, Vec<Violation>> {
    text_file::read_encoding(prefix).map_err(|other| {
        let text = format!("The file {other}. {}", save_as(format));
        vec![violation_at("content", ViolationCode::InvalidStringFormat, text)]
    })
}

/// Reads the format of a table from its first bytes.
pub fn read_table_format(prefix: &[u8]) -> Result<TableFormat, Vec<Violation>> {
    let mut skipped = skip_byte_order_mark(FileFormat::Csv, prefix)?;
    let mut stated = None;
    let mut header_line = 1;
    if let Some((separator, length)) = separator_line(&prefix[skipped..]) {
        (stated, header_line) = (Some(separator), 2);
        skipped += length;
    }
    let rest = &prefix[skipped..];
    let lines_of = |separator| known_columns(rest, separator);
    let known = |separator| lines_of(separator).first().map_or(0, |(_, known)| *known);
    let separator = stated.unwrap_or_else(|| {
        let best = SEPARATORS
            .into_iter()
            .rev()
            .max_by_key(|separator| known(*separator));
        best.unwrap_or(b',')
    });
    let mut lines = SEPARATORS.into_iter().flat_map(lines_of);
    if known(separator) == 0
        && let Some((line, _)) = lines.find(|(_, known)| *known > 1)
    {
        let text = format!(
            "Must begin with the line of the column names, which is line {}. Remove the lines before it.",
            header_line + line - 1
        );
        return Err(vec![violation_at(
            "content",
            ViolationCode::InvalidStringFormat,
            text,
        )]);
    }
    Ok(TableFormat {
        separator,
        skipped,
        header_line,
    })
}

/// The separator that a first line such as `sep=;` states, which spreadsheets write, and the length of the line.
fn separator_line(text: &[u8]) -> Option<(u8, usize)> {
    let rest = text
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case(b"sep="))
        .map(|_| &text[4..])?;
    let (separator, rest) = rest.split_first()?;
    let end = match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => return None,
    };
    SEPARATORS.contains(separator).then_some((*separator, 5 + end))
}

/// The number of line breaks: each `\r\n`, and each other `\r` or `\n`.
fn line_breaks(text: &[u8]) -> u64 {
    let ends = |index: usize| match text[index] {
        b'\n' => true,
        b'\r' => text.get(index + 1) != Some(&b'\n'),
        _ => false,
    };
    (0..text.len()).filter(|index| ends(*index)).count() as u64
}

/// The lines of a table that have something, each with its number and how many columns of the template it names.
fn known_columns(text: &[u8], separator: u8) -> Vec<(u64, usize)> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .delimiter(separator)
        .from_reader(text);
    let lines = reader.byte_records().take(MAX_LINES).map_while(Result::ok);
    let count = |record: &csv::ByteRecord| {
        let names = record
            .iter()
            .take(MAX_COLUMNS)
            .filter_map(|name| std::str::from_utf8(name).ok());
        names
            .filter(|name| column_lookup::known_name(name).is_some())
            .count()
    };
    lines
        .map(|record| {
            // The reader leaves out blank lines, which count as lines of the file.
            let begin = record
                .position()
                .map_or(0, |at| usize::try_from(at.byte()).unwrap_or_default());
            let is_break = |byte: &&u8| matches!(byte, b'\r' | b'\n');
            let blank = text[begin..].iter().take_while(is_break).count();
            (line_breaks(&text[..begin + blank]) + 1, count(&record))
        })
        .collect()
}
