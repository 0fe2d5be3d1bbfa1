use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

/// Bytes of a text that are compared.
const MAX_COMPARED: usize = 16 * 1024;

/// Whether a terminal or mail program obeys the character instead of showing it (PLT-014): controls, which include
/// escapes and line breaks, and the bidirectional characters that reorder what follows.
pub fn controls_display(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The key by which texts are compared (PLT-016): texts that a reader takes for the same have the same key. It is the
/// compatibility caseless match of the Unicode Standard (section 3.13, D146) without default-ignorable characters:
/// compatibility forms, such as full-width letters and ligatures, become plain ones, upper and lower case are one, and
/// characters without an appearance are dropped. Of a text that is longer than any that can be stored only the beginning
/// counts, because one character can become eighteen.
pub fn comparison_key(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(MAX_COMPARED)];
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let decompose = DecomposingNormalizerBorrowed::new_nfd();
    let compose = ComposingNormalizerBorrowed::new_nfkc();
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    // Folding maps a combining iota to a letter, so marks must be in canonical order before.
    let mut key = decompose.normalize(text).into_owned();
    // Folding can undo the normal form and the reverse; the second pass is the last that changes a text.
    for _ in 0..2 {
        key.retain(|character| !ignorable.contains(character));
        let folded = CaseMapper::new().fold_string(&key);
        key = compose.normalize(&folded).into_owned();
    }
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plt_016_texts_that_look_the_same_have_one_key() {
        for (text, key) in [
            ("ACME-1", "acme-1"),
            ("Ａｃｍｅ－１", "acme-1"),
            ("Straße", "strasse"),
            ("STRASSE", "strasse"),
            ("ΟΔΟΣ", "οδοσ"),
            ("οδος", "οδοσ"),
            ("ﬁnance", "finance"),
            ("Mu\u{308}ller", "müller"),
            ("MÜLLER", "müller"),
            ("ac\u{ad}me\u{200b}\u{feff}", "acme"),
            ("ｶﾞｽ", "ガス"),
            ("№ 5", "no 5"),
            ("İzmir", "i\u{307}zmir"),
            ("a\u{a0}b", "a b"),
            ("東京", "東京"),
            ("\u{200d}", ""),
        ] {
            assert_eq!(comparison_key(text), key, "key of {text:?}");
        }
        assert_ne!(comparison_key("Alder"), comparison_key("Älder"));
    }

    proptest! {
        #[test]
        fn plt_016_key_is_its_own_key_whatever_the_case(text in any::<String>()) {
            let key = comparison_key(&text);
            prop_assert_eq!(comparison_key(&key), key.clone());
            let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(&text).into_owned();
            prop_assert_eq!(comparison_key(&decomposed), key);
            let upper = text.to_uppercase();
            prop_assert_eq!(comparison_key(&upper.to_lowercase()), comparison_key(&upper));
        }
    }
}
