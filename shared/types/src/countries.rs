//! Countries by their ISO 3166-1 alpha-2 codes, with their names in AWS Partner Central: including the withdrawn `AN`
//! and excluding `KP`.

/// The country codes.
pub static CODES: [&str; 249] = codes();

/// The names of the countries, in the order of [`CODES`].
pub static NAMES: [&str; 249] = names();

const fn codes() -> [&'static str; 249] {
    let mut codes = [""; 249];
    let mut index = 0;
    while index < codes.len() {
        codes[index] = COUNTRIES[index].0;
        index += 1;
    }
    codes
}

const fn names() -> [&'static str; 249] {
    let mut names = [""; 249];
    let mut index = 0;
    while index < names.len() {
        names[index] = COUNTRIES[index].1;
        index += 1;
    }
    names
}

#[rustfmt::skip]
const COUNTRIES: [(&str, &str); 249] = [
    ("AD", "Andorra"), ("AE", "United Arab Emirates"), ("AF", "Afghanistan"), ("AG", "Antigua And Barbuda"),
    ("AI", "Anguilla"), ("AL", "Albania"), ("AM", "Armenia"), ("AN", "Netherlands Antilles"), ("AO", "Angola"),
    ("AQ", "Antarctica"), ("AR", "Argentina"), ("AS", "American Samoa"), ("AT", "Austria"), ("AU", "Australia"),
    ("AW", "Aruba"), ("AX", "Aland Islands"), ("AZ", "Azerbaijan"), ("BA", "Bosnia and Herzegovina"),
    ("BB", "Barbados"), ("BD", "Bangladesh"), ("BE", "Belgium"), ("BF", "Burkina Faso"), ("BG", "Bulgaria"),
    ("BH", "Bahrain"), ("BI", "Burundi"), ("BJ", "Benin"), ("BL", "Saint Barthelemy"), ("BM", "Bermuda"),
    ("BN", "Brunei Darussalam"), ("BO", "Bolivia"), ("BQ", "Bonaire, Sint Eustatius and Saba"),
    ("BR", "Brazil"), ("BS", "Bahamas"), ("BT", "Bhutan"), ("BV", "Bouvet Island"), ("BW", "Botswana"),
    ("BY", "Belarus"), ("BZ", "Belize"), ("CA", "Canada"), ("CC", "Cocos (Keeling) Islands"),
    ("CD", "Democratic Republic Of The Congo"), ("CF", "Central African Republic"), ("CG", "Congo"),
    ("CH", "Switzerland"), ("CI", "Cote d'Ivoire"), ("CK", "Cook Islands"), ("CL", "Chile"), ("CM", "Cameroon"),
    ("CN", "China"), ("CO", "Colombia"), ("CR", "Costa Rica"), ("CU", "Cuba"), ("CV", "Cape Verde"),
    ("CW", "Curacao"), ("CX", "Christmas Island"), ("CY", "Cyprus"), ("CZ", "Czech Republic"),
    ("DE", "Germany"), ("DJ", "Djibouti"), ("DK", "Denmark"), ("DM", "Dominica"), ("DO", "Dominican Republic"),
    ("DZ", "Algeria"), ("EC", "Ecuador"), ("EE", "Estonia"), ("EG", "Egypt"), ("EH", "Western Sahara"),
    ("ER", "Eritrea"), ("ES", "Spain"), ("ET", "Ethiopia"), ("FI", "Finland"), ("FJ", "Fiji"),
    ("FK", "Falkland Islands (Malvinas)"), ("FM", "Micronesia, Federated States of"), ("FO", "Faroe Islands"),
    ("FR", "France"), ("GA", "Gabon"), ("GB", "United Kingdom"), ("GD", "Grenada"), ("GE", "Georgia"),
    ("GF", "French Guiana"), ("GG", "Guernsey"), ("GH", "Ghana"), ("GI", "Gibraltar"), ("GL", "Greenland"),
    ("GM", "Gambia"), ("GN", "Guinea"), ("GP", "Guadeloupe"), ("GQ", "Equatorial Guinea"), ("GR", "Greece"),
    ("GS", "South Georgia and the South Sandwich Islands"), ("GT", "Guatemala"), ("GU", "Guam"),
    ("GW", "Guinea-Bissau"), ("GY", "Guyana"), ("HK", "Hong Kong"), ("HM", "Heard Island and McDonald Islands"),
    ("HN", "Honduras"), ("HR", "Croatia"), ("HT", "Haiti"), ("HU", "Hungary"), ("ID", "Indonesia"),
    ("IE", "Ireland"), ("IL", "Israel"), ("IM", "Isle of Man"), ("IN", "India"),
    ("IO", "British Indian Ocean Territory"), ("IQ", "Iraq"), ("IR", "Iran, Islamic Republic Of"),
    ("IS", "Iceland"), ("IT", "Italy"), ("JE", "Jersey"), ("JM", "Jamaica"), ("JO", "Jordan"), ("JP", "Japan"),
    ("KE", "Kenya"), ("KG", "Kyrgyzstan"), ("KH", "Cambodia"), ("KI", "Kiribati"), ("KM", "Comoros"),
    ("KN", "Saint Kitts and Nevis"), ("KR", "Korea"), ("KW", "Kuwait"), ("KY", "Cayman Islands"),
    ("KZ", "Kazakhstan"), ("LA", "Lao People's Democratic Republic"), ("LB", "Lebanon"), ("LC", "Saint Lucia"),
    ("LI", "Liechtenstein"), ("LK", "Sri Lanka"), ("LR", "Liberia"), ("LS", "Lesotho"), ("LT", "Lithuania"),
    ("LU", "Luxembourg"), ("LV", "Latvia"), ("LY", "Libyan Arab Jamahiriya"), ("MA", "Morocco"),
    ("MC", "Monaco"), ("MD", "Moldova, Republic of"), ("ME", "Montenegro"),
    ("MF", "Saint Martin (French Part)"), ("MG", "Madagascar"), ("MH", "Marshall Islands"),
    ("MK", "Macedonia, The former Yugoslav Republic Of"), ("ML", "Mali"), ("MM", "Myanmar"), ("MN", "Mongolia"),
    ("MO", "MACAO"), ("MP", "Northern Mariana Islands"), ("MQ", "Martinique"), ("MR", "Mauritania"),
    ("MS", "Montserrat"), ("MT", "Malta"), ("MU", "Mauritius"), ("MV", "Maldives"), ("MW", "Malawi"),
    ("MX", "Mexico"), ("MY", "Malaysia"), ("MZ", "Mozambique"), ("NA", "Namibia"), ("NC", "New Caledonia"),
    ("NE", "Niger"), ("NF", "Norfolk Island"), ("NG", "Nigeria"), ("NI", "Nicaragua"), ("NL", "Netherlands"),
    ("NO", "Norway"), ("NP", "Nepal"), ("NR", "Nauru"), ("NU", "Niue"), ("NZ", "New Zealand"), ("OM", "Oman"),
    ("PA", "Panama"), ("PE", "Peru"), ("PF", "French Polynesia"), ("PG", "Papua New Guinea"),
    ("PH", "Philippines"), ("PK", "Pakistan"), ("PL", "Poland"), ("PM", "Saint Pierre and Miquelon"),
    ("PN", "Pitcairn"), ("PR", "Puerto Rico"), ("PS", "Palestinian Territory, Occupied"), ("PT", "Portugal"),
    ("PW", "Palau"), ("PY", "Paraguay"), ("QA", "Qatar"), ("RE", "Reunion"), ("RO", "Romania"),
    ("RS", "Serbia"), ("RU", "Russia"), ("RW", "Rwanda"), ("SA", "Saudi Arabia"), ("SB", "Solomon Islands"),
    ("SC", "Seychelles"), ("SD", "Sudan"), ("SE", "Sweden"), ("SG", "Singapore"),
    ("SH", "Saint Helena, Ascension and Tristan Da Cunha"), ("SI", "Slovenia"),
    ("SJ", "Svalbard and Jan Mayen"), ("SK", "Slovakia"), ("SL", "Sierra Leone"), ("SM", "San Marino"),
    ("SN", "Senegal"), ("SO", "Somalia"), ("SR", "Suriname"), ("SS", "South Sudan"),
    ("ST", "Sao Tome and Principe"), ("SV", "El Salvador"), ("SX", "Sint Maarten (Dutch Part)"),
    ("SY", "Syrian Arab Republic"), ("SZ", "Swaziland"), ("TC", "Turks and Caicos Islands"), ("TD", "Chad"),
    ("TF", "French Southern Territories"), ("TG", "Togo"), ("TH", "Thailand"), ("TJ", "Tajikistan"),
    ("TK", "Tokelau"), ("TL", "Timor-Leste"), ("TM", "Turkmenistan"), ("TN", "Tunisia"), ("TO", "Tonga"),
    ("TR", "Turkey"), ("TT", "Trinidad and Tobago"), ("TV", "Tuvalu"), ("TW", "Taiwan"), ("TZ", "Tanzania"),
    ("UA", "Ukraine"), ("UG", "Uganda"), ("UM", "United States Minor Outlying Islands"),
    ("US", "United States"), ("UY", "Uruguay"), ("UZ", "Uzbekistan"), ("VA", "Holy See (Vatican City State)"),
    ("VC", "Saint Vincent and the Grenadines"), ("VE", "Venezuela"), ("VG", "VIRGIN ISLANDS, BRITISH"),
    ("VI", "VIRGIN ISLANDS, U.S."), ("VN", "Viet Nam"), ("VU", "Vanuatu"), ("WF", "Wallis and Futuna"),
    ("WS", "Samoa"), ("YE", "Yemen"), ("YT", "Mayotte"), ("ZA", "South Africa"), ("ZM", "Zambia"),
    ("ZW", "Zimbabwe"),
];

/// Other names of countries that are accepted: the English short names of ISO 3166-1 as its browsing platform lists them,
/// the English names of CLDR 48, and common ones. The names of AWS Partner Central above are older.
#[rustfmt::skip]
pub const ALIASES: &[(&str, &str)] = &[
    ("Åland Islands", "AX"), ("Saint Barthélemy", "BL"), ("St. Barthélemy", "BL"), ("Brunei", "BN"),
    ("Bolivia, Plurinational State of", "BO"), ("Bolivia (Plurinational State of)", "BO"),
    ("Caribbean Netherlands", "BQ"), ("The Bahamas", "BS"), ("Bahamas (the)", "BS"),
    ("Congo, Democratic Republic of the", "CD"), ("Congo, The Democratic Republic of the", "CD"),
    ("Congo (the Democratic Republic of the)", "CD"), ("Congo - Kinshasa", "CD"),
    ("Democratic Republic of Congo", "CD"), ("DR Congo", "CD"), ("Congo (the)", "CG"),
    ("Congo - Brazzaville", "CG"), ("Republic of the Congo", "CG"), ("Côte d'Ivoire", "CI"),
    ("Côte d’Ivoire", "CI"), ("Cote d’Ivoire", "CI"), ("Ivory Coast", "CI"), ("Cabo Verde", "CV"),
    ("Curaçao", "CW"), ("Czechia", "CZ"), ("Falkland Islands", "FK"),
    ("Falkland Islands (the) [Malvinas]", "FK"), ("Micronesia", "FM"),
    ("Micronesia (Federated States of)", "FM"), ("Great Britain", "GB"), ("UK", "GB"),
    ("United Kingdom of Great Britain and Northern Ireland", "GB"),
    ("United Kingdom of Great Britain and Northern Ireland (the)", "GB"), ("The Gambia", "GM"),
    ("Gambia (the)", "GM"), ("Hong Kong SAR", "HK"), ("Hong Kong SAR China", "HK"), ("Iran", "IR"),
    ("Iran (Islamic Republic of)", "IR"), ("St. Kitts and Nevis", "KN"), ("South Korea", "KR"),
    ("Korea, South", "KR"), ("Korea, Republic of", "KR"), ("Korea (the Republic of)", "KR"),
    ("Republic of Korea", "KR"), ("Laos", "LA"), ("Lao People’s Democratic Republic", "LA"),
    ("Lao People's Democratic Republic (the)", "LA"), ("St. Lucia", "LC"), ("Libya", "LY"),
    ("Moldova", "MD"), ("Moldova (the Republic of)", "MD"), ("Republic of Moldova", "MD"),
    ("Saint Martin", "MF"), ("St. Martin", "MF"), ("North Macedonia", "MK"),
    ("Republic of North Macedonia", "MK"), ("Macedonia", "MK"), ("Burma", "MM"), ("Myanmar (Burma)", "MM"),
    ("Macau", "MO"), ("Macao SAR", "MO"), ("Macao SAR China", "MO"), ("The Netherlands", "NL"),
    ("Netherlands (the)", "NL"), ("Netherlands (Kingdom of the)", "NL"),
    ("Netherlands, Kingdom of the", "NL"), ("Philippines (the)", "PH"), ("St. Pierre and Miquelon", "PM"),
    ("Pitcairn Islands", "PN"), ("Palestine", "PS"), ("Palestine, State of", "PS"),
    ("Palestinian Territories", "PS"), ("State of Palestine", "PS"), ("Réunion", "RE"),
    ("Russian Federation", "RU"), ("Russian Federation (the)", "RU"), ("Saint Helena", "SH"),
    ("St. Helena", "SH"), ("São Tomé and Príncipe", "ST"), ("Sint Maarten", "SX"), ("Syria", "SY"),
    ("Syrian Arab Republic (the)", "SY"), ("Eswatini", "SZ"), ("East Timor", "TL"), ("Türkiye", "TR"),
    ("Turkiye", "TR"), ("Taiwan, Province of China", "TW"), ("Taiwan (Province of China)", "TW"),
    ("Tanzania, United Republic of", "TZ"), ("Tanzania, the United Republic of", "TZ"),
    ("United Republic of Tanzania", "TZ"), ("U.S. Outlying Islands", "UM"), ("USA", "US"),
    ("United States of America", "US"), ("United States of America (the)", "US"), ("Holy See", "VA"),
    ("Holy See (the)", "VA"), ("Vatican City", "VA"), ("St. Vincent and the Grenadines", "VC"),
    ("St. Vincent and Grenadines", "VC"), ("Venezuela, Bolivarian Republic of", "VE"),
    ("Venezuela (Bolivarian Republic of)", "VE"), ("British Virgin Islands", "VG"),
    ("Virgin Islands (British)", "VG"), ("U.S. Virgin Islands", "VI"), ("US Virgin Islands", "VI"),
    ("Virgin Islands (U.S.)", "VI"), ("Vietnam", "VN"),
    ("United Arab Emirates (the)", "AE"), ("Dominican Republic (the)", "DO"), ("Comoros (the)", "KM"),
    ("Niger (the)", "NE"), ("Sudan (the)", "SD"), ("Marshall Islands (the)", "MH"),
    ("Northern Mariana Islands (the)", "MP"), ("Cayman Islands (the)", "KY"), ("Cook Islands (the)", "CK"),
    ("Faroe Islands (the)", "FO"), ("French Southern Territories (the)", "TF"),
    ("Central African Republic (the)", "CF"), ("British Indian Ocean Territory (the)", "IO"),
    ("Turks and Caicos Islands (the)", "TC"), ("Cocos (Keeling) Islands (the)", "CC"),
    ("United States Minor Outlying Islands (the)", "UM"),
    ("South Georgia & South Sandwich Islands", "GS"), ("Heard & McDonald Islands", "HM"),
];
