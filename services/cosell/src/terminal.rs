//! What commands print: to a terminal, a pipe or a file.

use std::fmt;
use std::io::{self, Write as _};

/// The reader of the output has closed it, such as `head` after its last line: a command ends then without an error.
#[derive(Debug)]
pub struct OutputClosed;

impl fmt::Display for OutputClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the output is closed")
    }
}

impl std::error::Error for OutputClosed {}

/// Prints a line. Fails when it cannot be written, such as to a full disk.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    let printed = writeln!(output, "{text}").and_then(|()| output.flush());
    printed.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => OutputClosed.into(),
        _ => anyhow::Error::new(error).context("writing the output"),
    })
}

/// The text as a terminal may show it: what controls it, or reorders what follows, is written as its code.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let is_reordering = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if is_reordering || (character.is_control() && !matches!(character, '\n' | '\t')) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_does_not_control_the_terminal() {
        assert_eq!(printable("Zürich\t1\n国"), "Zürich\t1\n国");
        assert_eq!(
            printable("\u{1b}[31mred\u{7}\u{9b}2J\u{202e}txt\r"),
            "\\u{1b}[31mred\\u{7}\\u{9b}2J\\u{202e}txt\\u{d}"
        );
    }
}
