//! What commands print: to a terminal, a pipe or a file.

use std::io::{self, Write as _};

use anyhow::Context as _;
use cosell_types::controls_display;

/// Prints a line of output. A closed output, such as that of `head` after its last line, is no error: the exit status says
/// what became of the command. Fails when the line cannot be written, such as to a full disk.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    let printed = writeln!(output, "{text}").and_then(|()| output.flush());
    match printed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("writing the output"),
    }
}

/// Prints a line of errors and remarks, which are not the output.
pub fn print_message(text: &str) {
    // There is no other place to report that this failed.
    let _ = writeln!(io::stderr(), "{}", printable(text));
}

/// The text with the characters that would control the terminal, or reorder what follows, written as their codes.
pub fn printable(text: &str) -> String {
    escaped(text, |character| format!("\\u{{{:x}}}", u32::from(character)))
}

/// JSON with such characters in the escapes of JSON, so that it keeps its meaning. All of them are of the Basic
/// Multilingual Plane.
pub fn printable_json(json: &str) -> String {
    escaped(json, |character| format!("\\u{:04x}", u32::from(character)))
}

fn escaped(text: &str, escape: impl Fn(char) -> String) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if controls_display(character) && !matches!(character, '\n' | '\t') {
            shown += &escape(character);
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

    #[test]
    fn json_of_others_does_not_control_the_terminal_and_keeps_its_meaning() {
        let value = serde_json::json!({"title": "Zürich\n\u{1b}[31m\u{7f}\u{9b}2J\u{202e}txt"});
        let shown = printable_json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(!shown.contains(|character| controls_display(character) && character != '\n'));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"),
            value
        );
    }
}
