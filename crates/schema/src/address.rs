//! Envelope addresses reduced to their domains, and `host (ip)` pairs to their hosts.
//! Tolerant: a strange address gives a strange domain or none, never an error.

/// The domain of an address, as it stands: `<User@Example.COM>` gives `Example.COM`. None for
/// the null sender `<>`, for an empty field and for an address without `@`.
pub fn domain_of(address: &[u8]) -> Option<&[u8]> {
    let address = address.trim_ascii();
    let address = address.strip_prefix(b"<").unwrap_or(address);
    let address = address.strip_suffix(b">").unwrap_or(address);
    // The last `@` is outside a quoted local part, since a domain cannot hold one.
    let at = memchr::memrchr(b'@', address)?;
    let domain = &address[at + 1..];
    let domain = domain.strip_suffix(b".").unwrap_or(domain);
    (!domain.is_empty()).then_some(domain)
}

/// Appends the domain in the form that is compared: lower case, and A-labels for IDN (RFC 5890).
/// What is no valid IDN is lowered as it stands.
pub fn normal_domain(raw: &[u8], out: &mut String) {
    if let (true, Ok(text)) = (raw.is_ascii(), std::str::from_utf8(raw)) {
        let start = out.len();
        out.push_str(text);
        return out[start..].make_ascii_lowercase();
    }
    let text = String::from_utf8_lossy(raw);
    match idna::domain_to_ascii(&text) {
        Ok(ascii) => out.push_str(&ascii),
        Err(_) => out.push_str(&text.to_lowercase()),
    }
}

/// Splits PMTA's `host (ip)` into host and address; either may be empty.
pub fn mx_host(dsn_mta: &[u8]) -> (&[u8], &[u8]) {
    let Some(open) = memchr::memchr(b'(', dsn_mta) else { return (dsn_mta.trim_ascii(), b"") };
    let ip = &dsn_mta[open + 1..];
    let ip = &ip[..memchr::memchr(b')', ip).unwrap_or(ip.len())];
    (dsn_mta[..open].trim_ascii(), ip.trim_ascii())
}

/// Second-level names under which others register, beside the country codes' own.
const SHARED: &[&str] =
    &["ac", "co", "com", "edu", "gov", "gob", "go", "mil", "ne", "net", "or", "org"];

/// The registrable part of a host name in lower case: `mx1.mail.example.co.uk` gives
/// `example.co.uk`. By rule and not by the public suffix list, which is two orders larger than
/// all else here: mail servers of providers stand under ordinary names.
pub fn registrable(host: &str) -> &str {
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let (Some(last), Some(second)) = (dots.next(), dots.next()) else { return host };
    let country = host.len() - last == 3;
    if country && SHARED.contains(&&host[second + 1..last]) {
        return dots.next().map_or(host, |third| &host[third + 1..]);
    }
    &host[second + 1..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(address: &str) -> Option<String> {
        let mut out = String::new();
        normal_domain(domain_of(address.as_bytes())?, &mut out);
        Some(out)
    }

    #[test]
    fn domains_are_found_and_made_comparable() {
        for (address, expected) in [
            ("User@Example.COM", Some("example.com")),
            ("<a@b.org>", Some("b.org")),
            ("\"odd@local,part\"@example.com", Some("example.com")),
            ("@relay.net:a@b.org", Some("b.org")),
            ("...@gmail.com", Some("gmail.com")),
            ("a@b\u{fc}cher.de", Some("xn--bcher-kva.de")),
            ("a@XN--BCHER-KVA.de", Some("xn--bcher-kva.de")),
            ("a@example.com.", Some("example.com")),
            ("a@[192.0.2.1]", Some("[192.0.2.1]")),
            ("<>", None),
            ("", None),
            ("postmaster", None),
            ("a@", None),
        ] {
            assert_eq!(domain(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn a_server_is_split_into_host_and_address() {
        assert_eq!(mx_host(b"mx.a.com (10.1.2.3)"), (&b"mx.a.com"[..], &b"10.1.2.3"[..]));
        assert_eq!(mx_host(b"mx.a.com"), (&b"mx.a.com"[..], &b""[..]));
        assert_eq!(mx_host(b"(2001:db8::1"), (&b""[..], &b"2001:db8::1"[..]));
    }

    #[test]
    fn registrable_names_keep_shared_second_levels() {
        assert_eq!(registrable("gmail-smtp-in.l.google.com"), "google.com");
        assert_eq!(registrable("mx1.mail.example.co.uk"), "example.co.uk");
        assert_eq!(registrable("mx.uol.com.br"), "uol.com.br");
        assert_eq!(registrable("mail.ru"), "mail.ru");
        assert_eq!(registrable("co.uk"), "co.uk");
        assert_eq!(registrable("localhost"), "localhost");
    }
}
