//! Postal codes: which countries have them, and in which form (OPP-014).

/// Countries in which addresses have no postal code.
#[rustfmt::skip]
const WITHOUT: [&str; 59] = [
    "AE", "AG", "AN", "AO", "AW", "BF", "BI", "BJ", "BO", "BQ", "BS", "BW", "BZ", "CF", "CG", "CI", "CK", "CM",
    "CW", "DJ", "DM", "ER", "FJ", "GD", "GH", "GM", "GQ", "GY", "HK", "HM", "KI", "KM", "KN", "LY", "ML", "MO",
    "MR", "MW", "NR", "NU", "QA", "RW", "SB", "SC", "SH", "SL", "SR", "ST", "SY", "TF", "TG", "TK", "TL", "TO",
    "TV", "UG", "VU", "YE", "ZW",
];

/// A form as people write it, the same for comparison (`#` a digit, `@` a letter, `*` either of them, everything else
/// itself), and the countries that have it. Where the written form would refuse codes that exist (of Ireland, Brunei and
/// Eswatini), the comparison is the wider one.
type Form = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Countries in neither list take any text.
#[rustfmt::skip]
const FORMS: [Form; 45] = [
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
    !WITHOUT.contains(&country)
}

/// The form that postal codes of this country have, as people write it; none where any text is taken.
pub fn form(country: &str) -> Option<&'static str> {
    find(country).map(|(written, ..)| *written)
}

/// Whether this is a postal code of the country.
pub fn is_valid(country: &str, code: &str) -> bool {
    find(country).is_none_or(|(_, shapes, _)| shapes.iter().any(|shape| has_shape(code, shape)))
}

fn find(country: &str) -> Option<&'static Form> {
    FORMS.iter().find(|(.., countries)| countries.contains(&country))
}

fn has_shape(code: &str, shape: &str) -> bool {
    code.len() == shape.len()
        && code
            .chars()
            .zip(shape.chars())
            .all(|(letter, shape)| match shape {
                '#' => letter.is_ascii_digit(),
                '@' => letter.is_ascii_uppercase(),
                '*' => letter.is_ascii_uppercase() || letter.is_ascii_digit(),
                itself => letter == itself,
            })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::reference::COUNTRY;

    /// A code that has the form, and one that has not, for every form as people write it.
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
    fn opp_014_every_form_takes_its_codes_and_refuses_others() {
        let mut tried = HashSet::new();
        for (country, right, wrong) in EXAMPLES {
            assert!(is_valid(country, right), "{country} {right}");
            assert!(!is_valid(country, wrong), "{country} {wrong}");
            tried.insert(form(country).expect("a form"));
        }
        let all: HashSet<_> = FORMS.iter().map(|(written, ..)| *written).collect();
        assert_eq!(tried.len(), all.len(), "{:?}", all.difference(&tried));
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
    fn opp_014_every_country_is_in_one_list_at_most() {
        let mut seen = HashSet::new();
        let forms = FORMS.iter().flat_map(|(.., countries)| countries.iter());
        for country in forms.chain(&WITHOUT) {
            assert!(COUNTRY.has(country) && seen.insert(country), "{country}");
        }
        assert!(!has_codes("HK") && form("HK").is_none());
        assert!(has_codes("KY") && is_valid("KY", "KY1-1201"), "in neither list");
    }

    proptest! {
        #[test]
        fn opp_014_what_has_the_shape_is_valid_and_one_sign_more_is_not(
            form in proptest::sample::select(&FORMS[..]),
            digit in proptest::char::range('0', '9'),
            letter in proptest::char::range('A', 'Z'),
        ) {
            for shape in form.1 {
                let code: String = shape
                    .chars()
                    .map(|sign| match sign { '#' => digit, '@' | '*' => letter, itself => itself })
                    .collect();
                for country in form.2 {
                    prop_assert!(is_valid(country, &code), "{country} {code}");
                    prop_assert!(!is_valid(country, &format!("{code}_")), "{country} {code}_");
                }
            }
        }

        #[test]
        fn opp_014_no_text_is_too_strange(country in "[A-Z]{2}", code in "\\PC{0,20}") {
            let _ = is_valid(&country, &code);
        }
    }
}
