/// Whether a terminal or mail program obeys the character instead of showing it (PLT-014): controls, which include
/// escapes and line breaks, and the bidirectional characters that reorder what follows.
pub fn controls_display(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
