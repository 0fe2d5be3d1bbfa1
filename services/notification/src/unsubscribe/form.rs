//! The body of a confirmed opt-out: the field `List-Unsubscribe` with the value `One-Click`, as
//! `application/x-www-form-urlencoded` or as `multipart/form-data` (RFC 8058, 3.2). Bodies are small, so that they are
//! read as a whole.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The only field of the form, with its value.
pub const FIELD: (&str, &str) = ("List-Unsubscribe", "One-Click");

/// Whether the body has the field.
pub fn is_one_click(headers: &HeaderMap, body: &[u8]) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let (media_type, parameters) = split_parameters(content_type.unwrap_or_default());
    match media_type.to_ascii_lowercase().as_str() {
        "application/x-www-form-urlencoded" => {
            form_urlencoded::parse(body).any(|(name, value)| (name.as_ref(), value.as_ref()) == FIELD)
        }
        "multipart/form-data" => {
            let boundary = parameter(parameters, "boundary").filter(|boundary| !boundary.is_empty());
            boundary.is_some_and(|boundary| is_in_multipart(body, boundary))
        }
        _ => false,
    }
}

/// Whether a part of the body is the field (RFC 7578).
fn is_in_multipart(body: &[u8], boundary: &str) -> bool {
    let Ok(body) = std::str::from_utf8(body) else {
        return false;
    };
    // The delimiter is that of RFC 2046, 5.1.1; the first one may begin the body.
    let (body, delimiter) = (format!("\r\n{body}"), format!("\r\n--{boundary}"));
    let mut parts = body.split(delimiter.as_str());
    // What precedes the first delimiter is no part, and neither is what follows the last one, which ends with `--`.
    parts.next();
    parts.take_while(|part| !part.starts_with("--")).any(|part| {
        part.split_once("\r\n\r\n")
            .is_some_and(|(headers, value)| value == FIELD.1 && headers.lines().any(is_disposition_of_field))
    })
}

fn is_disposition_of_field(line: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else {
        return false;
    };
    let (disposition, parameters) = split_parameters(value);
    name.eq_ignore_ascii_case("content-disposition")
        && disposition.eq_ignore_ascii_case("form-data")
        && parameter(parameters, "name") == Some(FIELD.0)
}

/// The value of a header before its parameters, and the parameters.
fn split_parameters(value: &str) -> (&str, &str) {
    let (value, parameters) = value.split_once(';').unwrap_or((value, ""));
    (value.trim(), parameters)
}

/// The value of a parameter, without quotes. Values that need escapes or contain `;` are of no form of this kind.
fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|parameter| {
        let (found, value) = parameter.split_once('=')?;
        let value = value.trim();
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        found
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| unquoted.unwrap_or(value))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(content_type: &str, body: &str) -> bool {
        let mut headers = HeaderMap::new();
        let content_type = HeaderValue::from_str(content_type).expect("a header");
        headers.insert(CONTENT_TYPE, content_type);
        is_one_click(&headers, body.as_bytes())
    }

    fn part(boundary: &str, disposition: &str, value: &str) -> String {
        format!("--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n{value}\r\n")
    }

    #[test]
    fn not_008_field_is_found_in_both_forms_of_a_body() {
        let form = "application/x-www-form-urlencoded";
        assert!(check(form, "List-Unsubscribe=One-Click"));
        assert!(check(
            "Application/X-WWW-Form-URLencoded; charset=UTF-8",
            "a=b&List-Unsubscribe=One%2DClick"
        ));
        let field = part("x-1", "form-data; name=\"List-Unsubscribe\"", "One-Click");
        for content_type in [
            "multipart/form-data; boundary=x-1",
            "Multipart/Form-Data; charset=utf-8; Boundary=\"x-1\"",
        ] {
            assert!(check(content_type, &format!("{field}--x-1--\r\n")));
            let other = part("x-1", "form-data; name=\"a\"", "b");
            assert!(check(content_type, &format!("preamble\r\n{other}{field}--x-1--")));
        }
    }

    #[test]
    fn not_008_other_bodies_are_not_a_confirmation() {
        let form = "application/x-www-form-urlencoded";
        for body in [
            "",
            "List-Unsubscribe",
            "List-Unsubscribe=",
            "list-unsubscribe=One-Click",
            "List-Unsubscribe=Two",
        ] {
            assert!(!check(form, body), "{body}");
        }
        for content_type in [
            "",
            "text/plain",
            "application/json",
            "multipart/mixed; boundary=x",
        ] {
            assert!(
                !check(content_type, "List-Unsubscribe=One-Click"),
                "{content_type}"
            );
        }
        assert!(!is_one_click(&HeaderMap::new(), b"List-Unsubscribe=One-Click"));
        let name = "form-data; name=\"List-Unsubscribe\"";
        let field = part("x", name, "One-Click");
        for (boundary, body) in [
            ("x", String::new()),
            ("x", part("x", name, "Two-Clicks")),
            ("x", part("x", "form-data; name=\"other\"", "One-Click")),
            (
                "x",
                part("x", "attachment; name=\"List-Unsubscribe\"", "One-Click"),
            ),
            // After the last delimiter, with another boundary, and without a boundary.
            ("x", format!("--x--\r\n{field}")),
            ("y", field.clone()),
            ("", field.clone()),
            (
                "",
                "--\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click".to_owned(),
            ),
        ] {
            let content_type = format!("multipart/form-data; boundary={boundary}");
            assert!(!check(&content_type, &body), "{body}");
        }
        assert!(!check("multipart/form-data", &field));
    }
}
