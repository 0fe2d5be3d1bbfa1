use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;

/// Whether data sent to this URL cannot be read on the way: with https, or on this machine.
pub fn is_secure_url(url: &Uri) -> bool {
    url.scheme() == Some(&Scheme::HTTPS) || (url.scheme().is_some() && url.host().is_some_and(is_loopback))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}
