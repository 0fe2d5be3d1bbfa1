//! Postal codes: which countries have them, and in which format (OPP-014).

/// Countries without postal codes.
#[rustfmt::skip]
const COUNTRIES_WITHOUT_CODES: [&str; 59] = [
    "AE", "AG", "AN", "AO", "AW", "BF", "BI", "BJ", "BO", "BQ", "BS", "BW", "BZ", "CF", "CG", "CI", "CK", "CM",
    "CW", "DJ", "DM", "ER", "FJ", "GD", "GH", "GM", "GQ", "GY", "HK", "HM", "KI", "KM", "KN", "LY", "ML", "MO",
    "MR", "MW", "NR", "NU", "QA", "RW", "SB", "SC", "SH", "SL", "SR", "ST", "SY", "TF", "TG", "TK", "TL", "TO",
    "TV", "UG", "VU", "YE", "ZW",
];

/// A documented format, its patterns (`#` a digit, `@` a letter, `*` either, any other character itself), and the
/// countries that use it. Where the documented format would refuse existing codes (of Ireland, Brunei and Eswatini),
/// the patterns are wider.
type Format = (&'static str, &'static [&'static str], &'static [&'static str]);

/// A country in neither list accepts any text.
#[rustfmt::skip]
const FORMATS: [Format; 45] = [
    ("99999", &["#####"], &[
        "AX", "BA", "BT", "CU", "DE", "DO", "DZ", "EE", "EG", "ES", "FI", "FR", "GT", "GU", "HN", "HR", "ID", "IQ",
        "IT", "JO", "KE", "KH", "KR", "KW", "LA", "LK", "MA", "ME", "MH", "MM", "MN", "MP", "MX", "MY", "NA", "NI",
        "NP", "PE", "PK", "PR", "PW", "RS", "SD", "SN", "SS", "TD", "TH", "TR", "TW", "UA", "UY", "VI", "ZM",
    ]),
    ("9999", &["####"], &[
        "AF", "AL", "AM", "AT", "AU", "BD", "BG", "CC", "CH", "CV", "CX", "CY", "DK", "ET", "GE", "GL", "GW", "HT",
        "HU", "LI", "LR", "LU", "MK", "MZ", "NE", "NF", "NO", "NZ", "PH", "PY", "SJ", "TN", "ZA",
    ]),
    ("999999", &["######"], &["CN", "CO", "EC", "KG", "KZ", "NG", "PA", "RO", "SG", "TJ", "TM", "TT", "VN"]),
    ("999", &["###"], &["FO", "IS", "LS", "MG", "OM", "PG"]),
    ("999 99 or 99999", &["### ##", "#####"], &["CZ", "SK"]),
    ("1101", &["1101"], &["SV"]),
    ("120", &["120"], &["VA"]),
    ("4789N", &["4789#"], &["SM"]),
    ("97133", &["97133"], &["BL"]),
    ("97150", &["97150"], &["MF"]),
    ("97500", &["97500"], &["PM"]),
    ("971NN", &["971##"], &["GP"]),
    ("972NN", &["972##"], &["MQ"]),
    ("973NN", &["973##"], &["GF"]),
    ("974NN", &["974##"], &["RE"]),
    ("976NN", &["976##"], &["YT"]),
    ("980NN", &["980##"], &["MC"]),
    ("986NN", &["986##"], &["WF"]),
    ("987NN", &["987##"], &["PF"]),
    ("988NN", &["988##"], &["NC"]),
    ("99", &["##"], &["JM"]),
    ("99-999", &["##-###"], &["PL"]),
    ("999 OR 9999", &["###", "####"], &["BH"]),
    ("9999 AC or 9999AC", &["#### @@", "####@@"], &["NL"]),
    ("9999 OR 9999-999", &["####", "####-###"], &["PT"]),
    ("9999 OR 99999", &["####", "#####"], &["MV"]),
    ("9999 or 99999", &["####", "#####"], &["CR"]),
    ("99999 OR 999 99", &["#####", "### ##"], &["GR"]),
    ("99999 OR 99999-999", &["#####", "#####-###"], &["BR"]),
    ("99999 OR 99999-9999", &["#####", "#####-####"], &["US"]),
    ("99999 OR 9999999", &["#####", "#######"], &["IL"]),
    ("99999 or LT-99999", &["#####", "LT-#####"], &["LT"]),
    ("99999-9999", &["#####-####"], &["SA"]),
    ("999999 OR 999 999", &["######", "### ###"], &["IN"]),
    ("9999999 OR 999-9999", &["#######", "###-####"], &["JP"]),
    ("A(A)N(A/N)NAA OR A(A)N(A/N) NAA", &[
        "@##@@", "@###@@", "@#@#@@", "@@##@@", "@@###@@", "@@#@#@@",
        "@# #@@", "@## #@@", "@#@ #@@", "@@# #@@", "@@## #@@", "@@#@ #@@",
    ], &["GB"]),
    ("A99 9A9A or A999A9A", &["@## ****", "@##****"], &["IE"]),
    ("A9A 9A9 or A9A9A9", &["@#@ #@#", "@#@#@#"], &["CA"]),
    ("AA 99 OR AA AA", &["@@ ##", "@@ @@"], &["BM"]),
    ("AAA 9999 or AAA9999", &["@@@ ####", "@@@####"], &["MT"]),
    ("B-9999 or 9999", &["B-####", "####"], &["BE"]),
    ("KB9999", &["@@####"], &["BN"]),
    ("M999", &["@###"], &["SZ"]),
    ("S-99999 OR SE-99999 OR 99999 OR 999 99", &["S-#####", "SE-#####", "#####", "### ##"], &["SE"]),
    ("VC9999", &["VC####"], &["VC"]),
];

/// Whether addresses in this country have a postal code.
pub fn has_codes(country: &str) -> bool {
    !COUNTRIES_WITHOUT_CODES.contains(&country)
}

/// The documented format of postal codes in this country; `None` if any text is accepted.
pub fn documented_format(country: &str) -> Option<&'static str> {
    format_of(country).map(|(documented, ..)| *documented)
}

/// Whether the postal code has the format of the country.
pub fn is_valid(country: &str, code: &str) -> bool {
    format_of(country).is_none_or(|(_, patterns, _)| patterns.iter().any(|pattern| matches(code, pattern)))
}

fn format_of(country: &str) -> Option<&'static Format> {
    FORMATS
        .iter()
        .find(|(.., countries)| countries.contains(&country))
}

fn matches(code: &str, pattern: &str) -> bool {
    code.len() == pattern.len()
        && code
            .chars()
            .zip(pattern.chars())
            .all(|(character, pattern)| match pattern {
                '#' => character.is_ascii_digit(),
                '@' => character.is_ascii_uppercase(),
                '*' => character.is_ascii_uppercase() || character.is_ascii_digit(),
                literal => character == literal,
            })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::reference::COUNTRY;

    /// A country, a valid code and an invalid code for each format.
    const EXAMPLES: [(&str, &str, &str); 45] = [
        ("DE", "20457", "2045"),
        ("AU", "2000", "20000"),
        ("SG", "018956", "18956"),
        ("IS", "101", "1011"),
        ("CZ", "110 00", "1100 0"),
        ("SV", "1101", "1102"),
        ("VA", "120", "121"),
        ("SM", "47891", "47901"),
        ("BL", "97133", "97134"),
        ("MF", "97150", "97151"),
        ("PM", "97500", "97501"),
        ("GP", "97110", "97210"),
        ("MQ", "97200", "97100"),
        ("GF", "97300", "97400"),
        ("RE", "97400", "97300"),
        ("YT", "97600", "97500"),
        ("MC", "98000", "98100"),
        ("WF", "98600", "98700"),
        ("PF", "98714", "98614"),
        ("NC", "98800", "98900"),
        ("JM", "10", "100"),
        ("PL", "00-950", "00950"),
        ("BH", "317", "31"),
        ("NL", "1012 AB", "1012 A"),
        ("PT", "1100-148", "1100-14"),
        ("MV", "20026", "200"),
        ("CR", "1000", "100"),
        ("GR", "104 31", "10 431"),
        ("BR", "01310-100", "01310-10"),
        ("US", "98109-5210", "98109-52"),
        ("IL", "9614303", "961430"),
        ("LT", "LT-01100", "LV-01100"),
        ("SA", "12345-6789", "12345"),
        ("IN", "110 001", "11 0001"),
        ("JP", "100-0001", "1000-001"),
        ("GB", "SW1A 1AA", "SW1A 11A"),
        ("IE", "D02 X285", "D02 X28"),
        ("CA", "K1A 0B1", "K1A 0BB"),
        ("BM", "HM 12", "HM12"),
        ("MT", "VLT 1117", "VLT 111"),
        ("BE", "B-1000", "C-1000"),
        ("BN", "KB1234", "K1234"),
        ("SZ", "M200", "200"),
        ("SE", "SE-11455", "SF-11455"),
        ("VC", "VC0100", "VC100"),
    ];

    #[test]
    fn opp_014_each_format_accepts_valid_and_refuses_invalid_codes() {
        let mut tested = HashSet::new();
        for (country, valid, invalid) in EXAMPLES {
            assert!(is_valid(country, valid), "{country} {valid}");
            assert!(!is_valid(country, invalid), "{country} {invalid}");
            tested.insert(documented_format(country).expect("a format"));
        }
        let all: HashSet<_> = FORMATS.iter().map(|(documented, ..)| *documented).collect();
        assert_eq!(tested.len(), all.len(), "{:?}", all.difference(&tested));
        for (code, valid) in [
            ("DT3 6GB", true),
            ("L2 2DP", true),
            ("M11AE", true),
            ("1AA 1AA", false),
        ] {
            assert_eq!(is_valid("GB", code), valid, "{code}");
        }
    }

    #[test]
    fn opp_014_each_country_is_in_at_most_one_list() {
        let mut seen = HashSet::new();
        let countries = FORMATS.iter().flat_map(|(.., countries)| countries.iter());
        for country in countries.chain(&COUNTRIES_WITHOUT_CODES) {
            assert!(COUNTRY.has(country) && seen.insert(country), "{country}");
        }
        assert!(!has_codes("HK") && documented_format("HK").is_none());
        assert!(has_codes("KY") && is_valid("KY", "KY1-1201"), "in neither list");
    }

    proptest! {
        #[test]
        fn opp_014_code_matching_a_pattern_is_valid_and_a_longer_one_is_not(
            format in proptest::sample::select(&FORMATS[..]),
            digit in proptest::char::range('0', '9'),
            letter in proptest::char::range('A', 'Z'),
        ) {
            for pattern in format.1 {
                let code: String = pattern
                    .chars()
                    .map(|character| match character { '#' => digit, '@' | '*' => letter, literal => literal })
                    .collect();
                for country in format.2 {
                    prop_assert!(is_valid(country, &code), "{country} {code}");
                    prop_assert!(!is_valid(country, &format!("{code}_")), "{country} {code}_");
                }
            }
        }

        #[test]
        fn opp_014_any_text_is_checked_without_a_panic(country in "[A-Z]{2}", code in "\\PC{0,20}") {
            let _ = is_valid(&country, &code);
        }
    }
}
