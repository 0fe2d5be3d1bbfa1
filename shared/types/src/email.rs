use email_address::EmailAddress;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

/// Maximum length of an address in octets, with its domain as A-labels (RFC 5321, 4.5.3.1.3, less the angle brackets).
const MAX_OCTETS: usize = 254;

/// The form in which an e-mail address is stored and compared: lower case, an internationalised domain as A-labels
/// (RFC 5890). None if the text is not an address that every mail server takes (PLT-017).
pub fn email_address(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    // A quoted local part is valid, but few systems take it.
    let is_local = local.is_ascii() && !local.starts_with('"') && EmailAddress::is_valid_local_part(local);
    let domain = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .ok()
        .filter(|domain| is_local && is_mail_domain(domain))?;
    let address = format!("{}@{domain}", local.to_ascii_lowercase());
    (address.len() <= MAX_OCTETS).then_some(address)
}

/// Whether a domain has at least two labels, the last of which is a name: numbers are those of IP addresses.
fn is_mail_domain(domain: &str) -> bool {
    let last = domain.rsplit_once('.').map(|(_, last)| last);
    last.is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The form in which an address is compared, also one that is no address by [`email_address`], such as an old one.
pub fn comparable_email(text: &str) -> String {
    let text = text.trim();
    email_address(text).unwrap_or_else(|| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plt_017_addresses_are_those_of_rfc_5321_with_idna_domains() {
        let local = "l".repeat(64);
        let label = "d".repeat(60);
        let domain = format!("{label}.{label}.{label}.abcdef");
        for (text, stored) in [
            ("Jane@Alder.Example", "jane@alder.example".to_owned()),
            (
                "jane.o'hara+crm@alder.example",
                "jane.o'hara+crm@alder.example".to_owned(),
            ),
            ("jane@Müller.example", "jane@xn--mller-kva.example".to_owned()),
            (
                "jane@xn--mller-kva.example",
                "jane@xn--mller-kva.example".to_owned(),
            ),
            ("jane@例え。テスト", "jane@xn--r8jz45g.xn--zckzah".to_owned()),
            ("jane@ａlder.example", "jane@alder.example".to_owned()),
            (
                &format!("{local}@alder.example"),
                format!("{local}@alder.example"),
            ),
            (&format!("{local}@{domain}"), format!("{local}@{domain}")),
        ] {
            assert_eq!(email_address(text).as_ref(), Some(&stored), "{text}");
        }
        for text in [
            "",
            "jane",
            "@alder.example",
            "jane@",
            "jane@alder",
            "jane doe@alder.example",
            ".jane@alder.example",
            "jane..doe@alder.example",
            "\"jane doe\"@alder.example",
            "jane@alder@birch.example",
            "jäne@alder.example",
            "jane@-alder.example",
            "jane@al_der.example",
            "jane@alder..example",
            "jane@alder.example.",
            "jane@[127.0.0.1]",
            "jane@127.0.0.1",
            "jane@0x7f.1",
            "jane@xn--a.example",
            "Jane <jane@alder.example>",
            "jane@alder.example\n",
            &format!("l{local}@alder.example"),
            &format!("jane@{label}dddd.example"),
            &format!("{local}@{domain}g"),
        ] {
            assert_eq!(email_address(text), None, "{text}");
        }
    }
}
