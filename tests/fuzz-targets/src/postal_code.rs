//! Postal codes by country (OPP-014).

use cosell_opportunity::domain::postal::{documented_format, has_codes, is_valid};
use cosell_opportunity::domain::reference::COUNTRY;

/// The longest code of a documented format: `99999-9999`.
const MAX_CODE: usize = 10;

/// A country in the first line, its code or its name, and a postal code in the second.
pub fn postal_code(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (country, code) = text.split_once('\n').unwrap_or((text, ""));
    let country = COUNTRY.canonical(country).unwrap_or(country);
    let is_accepted = is_valid(country, code);
    let Some(format) = documented_format(country) else {
        return assert!(is_accepted, "a country without a format accepts any code");
    };
    assert!(
        has_codes(country),
        "{country} has no codes, but the format {format}"
    );
    if is_accepted {
        let is_permitted =
            |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b' ' | b'-');
        assert!(code.bytes().all(is_permitted), "{country} {code}");
        assert!((2..=MAX_CODE).contains(&code.len()), "{country} {code}");
        for other in [code.to_lowercase(), format!(" {code}"), format!("{code}\n")] {
            assert!(other == code || !is_valid(country, &other), "{country} {other}");
        }
    }
}
