//! Envelope addresses reduced to their domains, and `host (ip)` pairs to their hosts.
//! Tolerant: a strange address gives a strange domain or none, never an error.

/// The domain of an address, as it stands: `<User@Example.COM>` gives `Example.COM`. None for
/// the null sender `<>`, for an empty field and for an address without a domain.
pub fn domain_of(address: &[u8]) -> Option<&[u8]> {
    // The last `@` is outside a quoted local part and behind a source route (RFC 5321, 4.1.2),
    // since a domain cannot hold one.
    let at = memchr::memrchr(b'@', address)?;
    let domain = &address[at + 1..];
    let end = domain.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'"'));
    // A quote that closes behind the last `@` says that it was within a local part.
    if end.is_some_and(|end| domain[end] == b'"') {
        return None;
    }
    let domain = &domain[..end.unwrap_or(domain.len())];
    let domain = domain.strip_suffix(b".").unwrap_or(domain);
    (!domain.is_empty()).then_some(domain)
}

/// Appends the domain in the form that is compared: lower case, and A-labels for IDN (RFC 5890).
/// What is no valid IDN is lowered as it stands.
pub fn normal_domain(raw: &[u8], out: &mut String) {
    let start = out.len();
    match std::str::from_utf8(raw) {
        Ok(text) if text.is_ascii() => {
            out.push_str(text);
            out[start..].make_ascii_lowercase();
        }
        _ => {
            let text = String::from_utf8_lossy(raw);
            match idna::domain_to_ascii(&text) {
                Ok(ascii) => out.push_str(&ascii),
                Err(_) => out.push_str(&text.to_lowercase()),
            }
        }
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
#[rustfmt::skip]
const SHARED: &[&str] = &[
    "ac", "ad", "asn", "asso", "co", "com", "ed", "edu", "firm", "gen", "go", "gob", "gouv", "gov",
    "govt", "gr", "gv", "id", "idv", "ind", "info", "k12", "lg", "ltd", "me", "mil", "ne", "net",
    "nhs", "nom", "or", "org", "plc", "re", "sch", "school", "web",
];

/// The registrable part of a host name: `mx1.mail.example.co.uk` gives `example.co.uk`. An address
/// instead of a name is returned whole. By rule and not by the public suffix list, which is two
/// orders larger than all else here: mail servers of providers stand under ordinary names.
pub fn registrable(host: &str) -> &str {
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let (Some(last), Some(second)) = (dots.next(), dots.next()) else { return host };
    let top = &host[last + 1..];
    if host.starts_with('[') || top.bytes().all(|b| b.is_ascii_digit()) {
        return host;
    }
    // `me.uk` and `ne.jp` are shared, `t.co` and `x.me.com` are not.
    let shared = top.len() == 2
        && SHARED.iter().any(|name| host[second + 1..last].eq_ignore_ascii_case(name));
    if shared {
        return dots.next().map_or(host, |third| &host[third + 1..]);
    }
    &host[second + 1..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            ("  <A@B.Org>  ", Some("b.org")),
            ("<a@b.org> BODY=8BITMIME", Some("b.org")),
            ("\"only@local\"", None),
            ("<@a.net,@b.net:user@c.org>", Some("c.org")),
            ("a@[IPv6:2001:DB8::1]", Some("[ipv6:2001:db8::1]")),
            ("a@b_c.example", Some("b_c.example")),
            ("a@\u{1f431}.example", Some("xn--5o8h.example")),
            ("a@xn--\u{dc}.example", Some("xn--\u{fc}.example")),
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
        assert_eq!(registrable("MX.Example.CO.UK"), "Example.CO.UK");
        assert_eq!(registrable("p00.icloud.com"), "icloud.com");
        assert_eq!(registrable("192.0.2.1"), "192.0.2.1");
        assert_eq!(registrable("[192.0.2.1]"), "[192.0.2.1]");
    }
    proptest! {
        #[test]
        fn the_domain_of_an_address_is_what_stands_behind_its_local_part(
            local in "[a-z.+=_-]{0,12}|\"[ a-z@,<]{0,9}\"",
            domain in "[a-z0-9-]{1,9}([.][a-z]{2,5}){0,2}",
        ) {
            let (plain, angled) = (format!("{local}@{domain}"), format!("<{local}@{domain}>"));
            prop_assert_eq!(domain_of(plain.as_bytes()), Some(domain.as_bytes()));
            prop_assert_eq!(domain_of(angled.as_bytes()), Some(domain.as_bytes()));
        }

        #[test]
        fn no_bytes_make_it_panic_and_a_comparable_domain_stays_itself(
            bytes in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let _ = domain_of(&bytes);
            let _ = mx_host(&bytes);
            let (mut once, mut twice) = (String::new(), String::new());
            normal_domain(&bytes, &mut once);
            let _ = registrable(&once);
            normal_domain(once.as_bytes(), &mut twice);
            if once.is_ascii() {
                prop_assert_eq!(once, twice);
            }
        }
    }
}
