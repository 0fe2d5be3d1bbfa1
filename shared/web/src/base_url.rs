use anyhow::{Context as _, ensure};
use cosell_grpc::is_secure_url;
use http::Uri;

/// Parses the public base URL of links. Returns it without a slash at the end, so that a path can be appended.
pub fn parse_base_url(text: &str) -> anyhow::Result<String> {
    let url: Uri = text.parse().context("parsing the base URL")?;
    ensure!(
        is_secure_url(&url) && url.query().is_none() && !text.contains('#'),
        "the base URL must begin with https:// and have neither query nor fragment"
    );
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_url_is_secure_and_has_neither_query_nor_fragment() {
        for (valid, base) in [
            ("https://cosell.example", "https://cosell.example"),
            ("https://cosell.example/mail/", "https://cosell.example/mail"),
            ("http://localhost:8080/", "http://localhost:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(parse_base_url(valid).expect("a base URL"), base);
        }
        for invalid in [
            "",
            "cosell.example",
            "http://cosell.example",
            "http://localhost.example",
            "https://cosell.example/?tab=1",
            "https://cosell.example/#top",
            "https://cosell example",
        ] {
            assert!(parse_base_url(invalid).is_err(), "{invalid}");
        }
    }
}
