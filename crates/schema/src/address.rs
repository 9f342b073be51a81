//! Envelope addresses reduced to their domains, and `host (ip)` pairs to their hosts.
//! Tolerant: a strange address gives a strange domain or none, never an error.

use std::borrow::Cow;

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

/// Whether what stands behind the last `@` of an address is its domain in the form that is compared, as nearly
/// always: then [`domain_of`] and [`normal_domain`] would give the same.
pub fn is_normal_domain(behind_at: &[u8]) -> bool {
    // All are looked at, many at once.
    let is_plain = |byte: &u8| {
        byte.is_ascii_lowercase() | byte.is_ascii_digit() | matches!(byte, b'.' | b'-' | b'_')
    };
    behind_at.last().is_some_and(|&last| last != b'.')
        && behind_at.iter().fold(true, |all, byte| all & is_plain(byte))
}

/// The places where an address stands in a text, as such or encoded in another (VERP):
/// `user@example.com`, `bounce-user=example.com@sender.example`, `user%40example.com`; in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    local: String,
    domain: String,
}

impl Mention {
    /// Of an address with a local part and a domain; none for any other text.
    pub fn of(address: &str) -> Option<Mention> {
        let address = bare(address);
        let domain = std::str::from_utf8(domain_of(address.as_bytes())?).ok()?;
        let local = address[..address.rfind('@')?].to_ascii_lowercase();
        let domain = domain.to_ascii_lowercase();
        // Behind a domain that ends with anything else nobody could say where it ends.
        let ends = domain.ends_with(|c: char| c.is_alphanumeric() || c == ']');
        (!local.is_empty() && ends).then_some(Mention { local, domain })
    }

    /// Whether `text` is the address and nothing else, as in `rcpt` and, behind `rfc822;`, in
    /// `orcpt`.
    pub fn is(&self, text: &str) -> bool {
        Mention::of(text).is_some_and(|other| other == *self)
    }

    /// Whether a text can mention the address: it holds the local part. Cheap, to be asked first.
    pub fn may_be_in(&self, lower: &[u8]) -> bool {
        memchr::memmem::find(lower, self.local.as_bytes()).is_some()
    }

    /// The text with `instead` in place of the local part wherever the address stands; none when
    /// it stands nowhere.
    pub fn replaced(&self, text: &str, instead: &str) -> Option<String> {
        let lower = text.to_ascii_lowercase();
        let mut out = String::new();
        let mut done = 0;
        for (at, _) in lower.match_indices(&self.local) {
            let end = at + self.local.len();
            let behind = &lower[end..];
            let Some((sign, domain)) =
                ["@", "=", "%40"].iter().find_map(|sign| Some((*sign, behind.strip_prefix(sign)?)))
            else {
                continue;
            };
            let Some(rest) = domain.strip_prefix(self.domain.as_str()) else { continue };
            // In VERP the address follows a sign that could belong to a local part.
            let joins = |c: char| {
                c.is_alphanumeric()
                    || (sign == "@" && matches!(c, '.' | '_' | '-' | '+' | '%' | '='))
            };
            let longer = lower[..at].ends_with(joins)
                || rest.starts_with(|c: char| c.is_alphanumeric() || c == '-')
                || rest.strip_prefix('.').is_some_and(|r| r.starts_with(char::is_alphanumeric));
            if !longer && at >= done {
                out.push_str(&text[done..at]);
                out.push_str(instead);
                done = end;
            }
        }
        (done > 0).then(|| out + &text[done..])
    }
}

/// An address without the type, the brackets and the white space that may surround it.
pub fn bare(address: &str) -> &str {
    let address = address.trim();
    let typed = address.split_once(';').filter(|(kind, _)| kind.eq_ignore_ascii_case("rfc822"));
    let address = typed.map_or(address, |(_, address)| address).trim();
    address.strip_prefix('<').and_then(|a| a.strip_suffix('>')).unwrap_or(address)
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
    let mut dots = host.bytes().enumerate().rev().filter(|(_, b)| *b == b'.').map(|(at, _)| at);
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

/// An address in lower case, which is how its case is made no matter of; bytes that are no UTF-8 are replaced then.
pub fn in_lower_case(address: &[u8]) -> Cow<'_, [u8]> {
    // All are looked at, many at once.
    let is_plain = |byte: &u8| byte.is_ascii() & !byte.is_ascii_uppercase();
    if address.iter().fold(true, |all, byte| all & is_plain(byte)) {
        return address.into();
    }
    String::from_utf8_lossy(address).to_lowercase().into_bytes().into()
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
    fn most_domains_are_normal() {
        assert!(
            ["example.com", "mail-1.a_b.xn--bcher-kva.de"]
                .map(str::as_bytes)
                .iter()
                .all(|d| is_normal_domain(d))
        );
        let others = ["", "Example.com", "a.de.", "b\u{fc}cher.de", "a.de>", "[192.0.2.1]"];
        assert!(!others.map(str::as_bytes).iter().any(|domain| is_normal_domain(domain)));
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
    fn an_address_is_found_where_it_stands_and_not_within_another() {
        let mention = Mention::of("User.Name@Example.com").expect("an address");
        for (text, expected) in [
            ("user.name@example.com", Some("X@example.com")),
            ("550 <USER.NAME@EXAMPLE.COM>: unknown", Some("550 <X@EXAMPLE.COM>: unknown")),
            ("b-7-user.name=example.com@esp.net", Some("b-7-X=example.com@esp.net")),
            ("b+user.name=example.com@esp.net", Some("b+X=example.com@esp.net")),
            ("?to=user.name%40example.com&", Some("?to=X%40example.com&")),
            ("user.name@example.com,user.name@example.com.", Some("X@example.com,X@example.com.")),
            ("my.user.name@example.com", None),
            ("user.name@example.com.au", None),
            ("user.name@example.community", None),
            ("user.name at example.com", None),
            ("", None),
        ] {
            assert_eq!(mention.replaced(text, "X").as_deref(), expected, "{text}");
        }
        assert!(
            mention.is("rfc822;<user.name@EXAMPLE.com>") && mention.is(" user.name@example.com")
        );
        assert!(!mention.is("user.name@example.org") && Mention::of("postmaster").is_none());
        assert!(Mention::of("user@example.com\u{fffd}").is_none());
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
        fn a_domain_that_is_normal_is_what_stands_there(
            behind in "[a-c0-2._-]{0,6}|[a-cA-C .<>@\"-]{0,6}|\\PC{0,4}"
        ) {
            let is_it = domain(&format!("x@{behind}")).as_deref() == Some(&behind);
            prop_assert!(is_it || !is_normal_domain(behind.as_bytes()));
        }

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
