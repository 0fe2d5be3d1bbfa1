//! Text files that people have written with editors and spreadsheet programs: their encoding, and their lines.

use std::io::{self, BufRead, Read as _};

/// The bytes that some editors and spreadsheet programs put before a text in UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a file is instead of UTF-8 text, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtherFile {
    /// Text in another encoding.
    #[error("is UTF-16 text")]
    Utf16,
    /// A file of a spreadsheet program.
    #[error("is a workbook of a spreadsheet program")]
    Workbook,
}

/// Reads the encoding of a text file from its first bytes, of which at least four are needed unless it is shorter. Returns
/// the number of bytes of its byte order mark.
pub fn read_encoding(start: &[u8]) -> Result<usize, OtherFile> {
    match start {
        // With a byte order mark, or without one before letters of ASCII.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [1..=127, 0, 1..=127, 0, ..] | [0, 1..=127, 0, 1..=127, ..] => {
            Err(OtherFile::Utf16)
        }
        [b'P', b'K', 3, 4, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => Err(OtherFile::Workbook),
        _ if start.starts_with(BYTE_ORDER_MARK) => Ok(BYTE_ORDER_MARK.len()),
        _ => Ok(0),
    }
}

/// Why a line, and those after it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// It is longer than the maximum.
    #[error("is longer than {0} bytes")]
    TooLong(usize),
    /// It is no UTF-8 text.
    #[error("is no UTF-8 text")]
    NotUtf8,
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

/// The lines of a text that are not blank, without blanks at their end, each with its number. The last one may be an error.
/// Memory is bounded by the longest line allowed.
pub fn read_lines(
    mut text: impl BufRead,
    max_bytes: usize,
) -> impl Iterator<Item = (u64, Result<String, LineError>)> {
    let mut read_line = move || {
        let mut bytes = Vec::new();
        // One more for the line break, and one to see that the line goes on.
        let mut line = text.by_ref().take(max_bytes as u64 + 2);
        if line.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        if bytes.len() > max_bytes {
            return Err(LineError::TooLong(max_bytes));
        }
        let line = String::from_utf8(bytes).map_err(|_| LineError::NotUtf8)?;
        Ok(Some(line.trim_end().to_owned()))
    };
    let mut has_failed = false;
    let lines = (1..).map_while(move |number| {
        if has_failed {
            return None;
        }
        let line = read_line().transpose()?;
        has_failed = line.is_err();
        Some((number, line))
    });
    lines.filter(|(_, line)| !line.as_ref().is_ok_and(|line| line.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<String> {
        let lines = read_lines(text, 8);
        let show = |(number, line): (u64, Result<String, LineError>)| {
            format!("{number}: {}", line.unwrap_or_else(|error| error.to_string()))
        };
        lines.map(show).collect()
    }

    #[test]
    fn opp_080_lines_have_numbers_and_bounds() {
        assert_eq!(read(b"a\r\n\n  \nb"), ["1: a", "4: b"]);
        assert_eq!(read(b"12345678\n\n"), ["1: 12345678"]);
        assert_eq!(read(b"12345678"), ["1: 12345678"]);
        let long = "2: is longer than 8 bytes";
        assert_eq!(read(b"a\n123456789\nb\n"), ["1: a", long]);
        assert_eq!(read(b"a\n123456789"), ["1: a", long]);
        assert_eq!(read("a\n12345678\u{fc}\nb\n".as_bytes()), ["1: a", long]);
        let binary = "2: is no UTF-8 text";
        assert_eq!(read(b"a\nM\xfcn\nb\n"), ["1: a", binary]);
    }

    #[test]
    fn opp_080_encoding_is_recognized_by_the_first_bytes() {
        assert_eq!(read_encoding(b""), Ok(0));
        assert_eq!(read_encoding("\u{feff}a".as_bytes()), Ok(3));
        for utf16 in [b"\xff\xfea\0".as_slice(), b"\xfe\xff\0a", b"a\0b\0", b"\0a\0b"] {
            assert_eq!(read_encoding(utf16), Err(OtherFile::Utf16));
        }
        assert_eq!(read_encoding(b"PK\x03\x04\x14"), Err(OtherFile::Workbook));
    }
}
