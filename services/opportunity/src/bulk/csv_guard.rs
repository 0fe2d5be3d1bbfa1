//! Bounds of a CSV file, checked on its bytes before they are parsed, its encoding, and its quotes: the parser takes the
//! end of the file for the end of an open cell, and would swallow all rows behind it.

use std::error::Error;
use std::fmt;
use std::io::{self, Read};

use cosell_types::ViolationCode;
use cosell_types::text_file::LineError;

use super::violations::save_as;
use crate::domain::values::FileFormat;

/// Maximum columns of a file: several times those of the template, for the columns that a user adds.
pub const MAX_COLUMNS: usize = 256;
/// Maximum bytes of a row, and of a line of JSON: several times the longest texts of an opportunity together.
pub const MAX_ROW_BYTES: usize = 256 * 1024;

/// Why the guard stops a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardError {
    /// The code of the violation.
    pub code: ViolationCode,
    /// A sentence with the line.
    pub text: String,
}

impl fmt::Display for GuardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for GuardError {}

impl GuardError {
    /// The error of the guard in an error of the parser, if it is one.
    pub fn find(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

/// The position in a cell, as the parser sees it: a quote opens a cell only at its start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Start,
    Plain,
    Quoted,
    /// After a quote in a quoted cell: its end, or the first half of a doubled quote.
    AfterQuote,
}

/// Reads a CSV file, and fails where it exceeds a bound, is no UTF-8 text, or ends inside a quoted cell.
pub struct CsvGuard<R> {
    file: R,
    separator: u8,
    position: Position,
    line: u64,
    /// The line in which the current row began.
    row_line: u64,
    /// The line in which the current cell began.
    cell_line: u64,
    columns: usize,
    row_bytes: usize,
    is_after_return: bool,
    /// Bytes that are not known to be UTF-8: those of a character whose end has not been read.
    unchecked: Vec<u8>,
}

impl<R> CsvGuard<R> {
    /// A guard of a file whose first line has this number.
    pub fn new(file: R, separator: u8, first_line: u64) -> Self {
        Self {
            file,
            separator,
            position: Position::Start,
            line: first_line,
            row_line: first_line,
            cell_line: first_line,
            columns: 1,
            row_bytes: 0,
            is_after_return: false,
            unchecked: Vec::new(),
        }
    }

    /// Checks the next bytes.
    fn check(&mut self, bytes: &[u8]) -> Result<(), GuardError> {
        let checked = self.unchecked.len();
        self.unchecked.extend_from_slice(bytes);
        let (valid, is_valid) = match std::str::from_utf8(&self.unchecked) {
            Ok(text) => (text.len(), true),
            Err(error) => (error.valid_up_to(), error.error_len().is_none()),
        };
        self.unchecked.drain(..valid);
        let followed = if is_valid {
            bytes.len()
        } else {
            valid.saturating_sub(checked)
        };
        for byte in &bytes[..followed] {
            self.advance(*byte)?;
        }
        if is_valid { Ok(()) } else { Err(self.not_utf8()) }
    }

    fn not_utf8(&self) -> GuardError {
        let text = format!(
            "Line {} {}. {}",
            self.line,
            LineError::NotUtf8,
            save_as(FileFormat::Csv)
        );
        GuardError {
            code: ViolationCode::InvalidStringFormat,
            text,
        }
    }

    fn advance(&mut self, byte: u8) -> Result<(), GuardError> {
        let is_second_half = byte == b'\n' && std::mem::take(&mut self.is_after_return);
        self.is_after_return = byte == b'\r';
        let is_line_break = matches!(byte, b'\n' | b'\r');
        if is_line_break && !is_second_half {
            self.line += 1;
        }
        self.row_bytes += 1;
        if self.row_bytes > MAX_ROW_BYTES {
            let text = format!(
                "Has a row of more than {MAX_ROW_BYTES} bytes, which begins in line {}.",
                self.row_line
            );
            return Err(GuardError {
                code: ViolationCode::ValueOutOfRange,
                text,
            });
        }
        self.position = match (self.position, byte) {
            (Position::Quoted, b'"') => Position::AfterQuote,
            (Position::Quoted, _) => Position::Quoted,
            (Position::AfterQuote | Position::Start, b'"') => Position::Quoted,
            (_, byte) if byte == self.separator => {
                self.columns += 1;
                if self.columns > MAX_COLUMNS {
                    let text = format!("Has more than {MAX_COLUMNS} columns in line {}.", self.line);
                    return Err(GuardError {
                        code: ViolationCode::TooManyValues,
                        text,
                    });
                }
                self.cell_line = self.line;
                Position::Start
            }
            _ if is_line_break => {
                (self.columns, self.row_bytes) = (1, 0);
                (self.row_line, self.cell_line) = (self.line, self.line);
                Position::Start
            }
            _ => Position::Plain,
        };
        Ok(())
    }
}

impl<R: Read> Read for CsvGuard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let has_ended = count == 0 && !buffer.is_empty();
        if has_ended && !self.unchecked.is_empty() {
            return Err(io::Error::other(self.not_utf8()));
        }
        if has_ended && self.position == Position::Quoted {
            let text = format!(
                "Ends inside a cell that begins with a quote in line {}. Close the quote; a quote in a quoted cell is \
                 doubled.",
                self.cell_line
            );
            let code = ViolationCode::InvalidStringFormat;
            return Err(io::Error::other(GuardError { code, text }));
        }
        self.check(&buffer[..count]).map_err(io::Error::other)?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str) -> Result<String, String> {
        let mut text = String::new();
        match CsvGuard::new(file.as_bytes(), b',', 1).read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(error) => Err(GuardError::find(&error)
                .expect("an error of the guard")
                .text
                .clone()),
        }
    }

    #[test]
    fn opp_080_file_that_ends_inside_a_cell_is_refused_with_its_line() {
        for file in [
            "",
            "a,b\r\n1,2",
            "a,\"b\"\n\"1\n2\",\"3\"",
            "a,b\n5\" pipe,\"6\"\" tube\"\n",
            "\"a\" b,c\n",
        ] {
            assert_eq!(check(file), Ok(file.to_owned()));
        }
        for (file, line) in [
            ("\"a", 1),
            ("a,b\n1,\"2\n3,4\n", 2),
            ("a,b\r\n\"1\r\n2\",3\r\n4,\"5\"\"\r\n", 4),
            ("a,b\n1,\"2\"\"\n", 2),
        ] {
            let text = check(file).expect_err("an open cell");
            assert!(text.contains(&format!("in line {line}.")), "{file:?}: {text}");
        }
    }

    #[test]
    fn opp_080_line_that_is_no_utf8_text_is_named_whatever_its_line_breaks() {
        for line_break in ["\n", "\r\n", "\r"] {
            let rows = ["a,b", "\"1", "2\",caf#", "3,4"].join(line_break);
            let (before, after) = rows.split_once('#').expect("a mark");
            // Whole, cut off, and in parts that cut a character.
            for (bytes, line) in [
                (b"\xc3\xa9".as_slice(), None),
                (b"\xe9", Some(3)),
                (b"\xe2\x82", Some(3)),
            ] {
                let file = [before.as_bytes(), bytes, after.as_bytes()].concat();
                for size in [1, 2, 3, file.len()] {
                    let mut guard = CsvGuard::new(file.as_slice(), b',', 1);
                    let mut part = vec![0; size];
                    let end = loop {
                        match guard.read(&mut part) {
                            Ok(0) => break None,
                            Ok(_) => {}
                            Err(error) => {
                                break Some(GuardError::find(&error).expect("an error").text.clone());
                            }
                        }
                    };
                    assert_eq!(
                        end,
                        line.map(|line| {
                            format!("Line {line} is no UTF-8 text. Save it as UTF-8, in a spreadsheet program as `CSV UTF-8`.")
                        }),
                        "{file:?}"
                    );
                }
            }
            let error = CsvGuard::new(&b"a\n\xc3"[..], b',', 1).read_to_end(&mut Vec::new());
            assert!(error.is_err(), "a cut character");
        }
    }

    #[test]
    fn opp_080_columns_and_bytes_of_a_row_are_bounded() {
        assert!(check(&",".repeat(MAX_COLUMNS - 1)).is_ok());
        assert_eq!(
            check(&format!("a\n{}", ",".repeat(MAX_COLUMNS))),
            Err("Has more than 256 columns in line 2.".to_owned())
        );
        assert!(check(&"\"".repeat(MAX_ROW_BYTES)).is_ok());
        for (begin, line) in [("", 1), ("a,b\n", 2), ("a,\"b\nb\"\n\"\n\n", 3)] {
            let text = check(&format!("{begin}{}", "x".repeat(MAX_ROW_BYTES + 1))).expect_err("a long row");
            let expected = format!("Has a row of more than 262144 bytes, which begins in line {line}.");
            assert_eq!(text, expected);
        }
    }
}
