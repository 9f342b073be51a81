//! What is replaced where, what stays, and laws for all other texts.

use proptest::prelude::*;

use super::*;
use pmtaq_schema::Column;

fn hash() -> Privacy {
    Privacy::with_key(b"0123456789abcdef0123456789abcdef").expect("long enough")
}

fn people(privacy: &Privacy) -> Vec<Person> {
    privacy.recipients_of(b"Jane.Doe@Example.com", b"rfc822;jane.doe@example.COM")
}

#[test]
fn a_recipient_is_one_person_however_it_is_spelt() {
    let hash = hash();
    let token = hash.whole("jane.doe@example.com");
    let local = token.strip_suffix("@example.com").expect("the domain stays");
    assert!(is_replaced(local), "{token}");
    for other in ["Jane.Doe@EXAMPLE.com", "<jane.doe@example.com>", " jane.doe@example.com. "] {
        assert_eq!(hash.whole(other), token, "{other}");
    }
    assert_eq!(hash.whole("rfc822;<jane.doe@example.com>"), format!("rfc822;{token}"));
    assert_eq!(people(&hash).len(), 2, "two spellings");
    assert_ne!(hash.whole("jane.doe@example.org")[..18], token[..18], "the domain goes in");
    assert_ne!(hash.whole("jane.do@example.com"), token);
    let other = Privacy::with_key(b"0123456789abcdef0123456789abcdeX").expect("long enough");
    assert_ne!(other.whole("jane.doe@example.com"), token);
    assert_ne!(other.recipients(), hash.recipients());
    assert!(Privacy::with_key(b"secret").is_none());
}

#[test]
fn a_token_is_the_one_of_the_standard() {
    // HMAC-SHA-256 of `address`, NUL, the address, by another implementation; RFC 4648 base32.
    assert_eq!(hash().whole("jane.doe@example.com"), "h-sq3azd5v2dtbtgem@example.com");
}

#[test]
fn every_address_in_a_text_is_masked_and_its_domain_stays() {
    for (text, expected) in [
        ("<Jane.Doe@Example.com>", "<j***@example.com>"),
        (
            "rcpt 'jane.doe@example.com' or \"jane.doe@example.com\"",
            "rcpt 'j***@example.com' or \"j***@example.com\"",
        ),
        ("to=<other@final.example>: unknown", "to=<o***@final.example>: unknown"),
        ("b-jane.doe=example.com@esp.net", "b***@esp.net"),
        ("https://x.example/u?e=jane.doe%40example.com&x=1", "https:x***%40example.com&x=1"),
        ("=?utf-8?q?jane.doe=40example.com?=", "u***=40example.com?="),
        ("\"odd jane,doe\"@example.com", "o***@example.com"),
        ("d,\"\"\"odd jane\"\"@example.com\",x", "d,o***@example.com\",x"),
        ("see-\"ta\"@example.com", "s***@example.com"),
        ("'o'brien@example.com'", "'o***@example.com'"),
        ("a@[192.0.2.1] J\u{fc}rgen@b\u{fc}cher.de", "a***@[192.0.2.1] j***@xn--bcher-kva.de"),
        ("jane.doe: no such user", "j***: no such user"),
        (
            "Mailbox JANE.DOE is full; jane.doe=example.com",
            "Mailbox j*** is full; j***=example.com",
        ),
        ("ask forward7@a.org, forward7 is gone", "ask f***@a.org, f*** is gone"),
        ("size=40.5 of 100%40 at 12:00 @ noon", "size=40.5 of 100%40 at 12:00 @ noon"),
        (
            "x@jane.doe@example.com a@jane.@b.com %@jane@b.com",
            "x***@example.com a***@b.com j***@b.com",
        ),
        ("janet.doe@ and jane.doex", "j***@ and jane.doex"),
        ("...@example.com <> @example.com", "...@example.com <> @example.com"),
        ("550 5.1.1 user unknown", "550 5.1.1 user unknown"),
    ] {
        let found = Privacy::Mask.text(text, &people(&Privacy::Mask)).into_owned();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_name_of_few_values_keeps_all_but_the_recipient() {
    let (mask, people) = (Privacy::Mask, people(&Privacy::Mask));
    let user = Column::index("rcv_smtp_user").expect("a column");
    let field = |text: &'static str| {
        String::from_utf8_lossy(&mask.field(user, Cow::Borrowed(text.as_bytes()), &people))
            .into_owned()
    };
    assert_eq!(field("shop@customer.example"), "shop@customer.example");
    assert_eq!(field("job-jane.doe=example.com"), "job-j***=example.com");
}

#[test]
fn a_template_loses_the_account_that_it_still_has() {
    let hash = hash();
    let mut template = "550 jane.doe: user unknown".to_owned();
    hash.template(&mut template, &people(&hash));
    assert_eq!(template, "550 {email}: user unknown");
}

#[test]
fn what_is_looked_for_is_spelt_as_it_is_stored() {
    let hash = hash();
    let token = hash.whole("jane.doe@example.com");
    assert_eq!(hash.stored_form("Jane.Doe@example.com"), token);
    assert_eq!(hash.stored_form(&token), token);
    assert_eq!(hash.stored_form("<jane.doe@example.com>: full"), format!("<{token}>: full"));
    assert_eq!(Privacy::Mask.stored_form("jane@example.com"), "j***@example.com");
    assert_eq!(Privacy::Mask.stored_form("j***@example.com"), "j***@example.com");
    let two = Privacy::Mask.stored_form("j***@example.com;sum@example.org");
    assert_eq!(two, "j***@example.com;s***@example.org");
    assert_eq!(Privacy::Mask.stored_form("jane@a,b.org j***@"), "j***@a,b.org j***@");
    assert_eq!(Privacy::Mask.stored_form("jane@a4***@b.org"), "j***@b.org");
    for text in ["@example.com", "550", "mailbox full"] {
        assert_eq!(hash.stored_form(text), text);
    }
    assert_eq!(Privacy::Plain.stored_form("Jane@Example.com"), "Jane@Example.com");
}

proptest! {
    #[test]
    fn no_address_is_left_in_any_text(
        before in "[ a-z0-9<>(\\[,;:\"'=+.@%-]{0,20}",
        local in "[a-z][a-z0-9]{2,9}([.+_-][a-z0-9]{2,6})?",
        domain in "[a-z]{2,6}[.](com|org)",
        sign in "@|%40|=40",
        after in "[ a-z0-9<>)\\],;:\"'=+.@%-]{0,20}",
    ) {
        let text = format!("{before}{local}{sign}{domain}{after}");
        for privacy in [hash(), Privacy::Mask] {
            let hidden = privacy.text(&text, &[]);
            prop_assert!(!hidden.contains(&format!("{local}{sign}")), "{hidden}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), text in "\\PC{0,60}") {
        for privacy in [hash(), Privacy::Mask, Privacy::Plain] {
            let people = privacy.recipients_of(&bytes, text.as_bytes());
            for column in [RCPT, ORIG, Column::index("vmta").expect("a column")] {
                let _ = privacy.field(column, Cow::Borrowed(text.as_bytes()), &people);
            }
            let _ = privacy.text(&text, &people);
            let _ = privacy.line(&bytes);
        }
    }
}
