//! Replies that must fall together, replies that must not, and laws for all others.

use proptest::prelude::*;

use super::*;

fn template(dsn_diag: &str) -> String {
    let mut out = String::new();
    template_of(&Reply::parse(dsn_diag, ""), "", &mut out);
    out
}

/// Blocks of a line `> template` and the replies that must come to it. Texts are those of the
/// providers' own documentation and of returned mail, with addresses of documentation.
const REPLIES: &str = include_str!("../../data/replies.txt");

#[test]
fn one_reason_is_one_template_and_two_reasons_are_two() {
    let mut templates: Vec<&str> = Vec::new();
    let mut replies = 0;
    for line in REPLIES.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        if let Some(expected) = line.strip_prefix("> ") {
            assert!(!templates.contains(&expected), "stands twice: {expected}");
            templates.push(expected);
            continue;
        }
        let expected = templates.last().expect("a block begins with its template");
        assert_eq!(template(line), *expected, "{line}");
        let again = format!("smtp;{expected}");
        if line.starts_with("smtp;") {
            assert_eq!(template(&again), *expected, "is not its own template");
        }
        replies += 1;
    }
    assert!(replies >= 180 && templates.len() >= 100, "{replies} of {}", templates.len());
}

#[test]
fn each_kind_of_thing_has_its_mask() {
    for (text, expected) in [
        ("at 192.0.2.1, 192.0.2.1:25 or 192.0.2.0/24", "at {ip}, {ip}:{n} or {ip}/{n}"),
        ("[2001:db8::1] ::1 IPv6:2001:db8::1", "[{ip}] {ip} IPv6:{ip}"),
        ("<a@b.c> 'a@b.c' from=<a@b> rcpt=a@b", "<{email}> '{email}' from=<{email}> rcpt={email}"),
        ("prvs=12=jane@a.org bounce=j=b.org@a.org", "{email} {email}"),
        ("...@a.org ***@b.org a@[192.0.2.1]", "{email} {email} {email}"),
        ("mx-1.a.org [MX.A.ORG] gmail.con", "{host} [{host}] {host}"),
        ("21:53:41 2026-03-01 2026-03-01T21:53:41.9Z", "{time} {time} {time}"),
        ("on Mon, 2 Mar 2026 21:53:41 +0100 or 3 Mar", "on {time} or {time}"),
        ("10 MB 10MB 15ms 24-hour 5m30s 1,024 99%", "{n} MB {n}MB {n}ms {n}-hour {n} {n} {n}%"),
        ("(-1915321397:308:-2147467259)", "({n})"),
        ("4XyZ12abcd x=9F3C41A0B2; XkQzvTbWqLmN", "{id} x={id}; {id}"),
        ("a94609e555228871 8198575701731508", "{id}"),
        ("731874934714855d, 057806368759, D03B21DD18EA", "{id}, {id}, {id}"),
        ("not available [#4.16.483] or 4.16.1", "not available [#4.16.{n}] or 4.16.1"),
        ("OFR004_46 ofr_506 [506]", "OFR004_46 ofr_506 [506]"),
        ("550e8400-e29b-41d4-a716-446655440000 as", "{id} as"),
        ("aGVsbG8uCg== [MQn+JEO3zZ8/x7cBj5Vc5g==]", "{id} [{id}]"),
        ("/var/mail/j/jane \"/home/jane/Maildir\"", "{id} \"{id}\""),
        ("http://a.org/x/192.0.2.1?u=jane#top", "http://{host}/x/{ip}?u={id}#top"),
        ("www.a.org/help or and/or SPF/DKIM", "{host}/help or and/or SPF/DKIM"),
    ] {
        assert_eq!(template(&format!("smtp;550 {text}")), format!("550 {expected}"));
    }
}

#[test]
fn words_and_codes_stay() {
    for text in [
        "[TSS04] (S3140) (AS16012609) (S2017062302) [CS01] [505] [#102] (CON:B1) RP-001 RCP-P1",
        "AUP#1260 AUP#In-1310 AUP#CDRBL OFR_506 OFR004_405 LPN007_416 IB607 BL000010 DT:SPM",
        "IPv4 IPv6 TLSv1.2 8BITMIME UTF-8 RFC5322 RFC 5321 RFC.5322 5322.From Office365 SHA256",
        "RESOLVER.ADR.RecipNotFound; STOREDRV.Deliver SuspiciousRemoteServerError UserSearch",
        "Durchschnittswert double-checking NXDOMAIN STARTTLS unrouteable <CR><LF>.<CR><LF> <>",
        "smtp.mailfrom=fail dkim=none (p=reject dis=none) DKIM-Signature MAIL_FROM May be Sun",
        "said: 554 5.6.0 x -> 550 User unknown <421 4.4.2 out> (#5.7.1) 550-'5.1.1 x",
        "zen.spamhaus.org b.barracudacentral.org https://check.spamhaus.org/sbl/",
        "https://support.google.com/mail/answer/81126#authentication http://x.co/rlbounce",
        "\u{420}\u{430}\u{437}\u{43c}\u{435}\u{440} \u{90ae}\u{4ef6}\u{3002} b\u{fc}cher",
    ] {
        assert_eq!(template(&format!("smtp;550 {text}")), format!("550 {text}"));
    }
}

#[test]
fn amounts_are_no_reply_codes() {
    assert_eq!(
        template("smtp;452 limit: 500 messages per hour"),
        "452 limit: {n} messages per hour"
    );
    assert_eq!(template("smtp;450 try in 450 seconds"), "450 try in {n} seconds");
}

#[test]
fn codes_that_each_line_repeats_leave_one_space_whatever_stood_between() {
    for gap in [" ", "   ", "\0\0", "\t"] {
        let reply = format!("smtp;550-5.7.26 no{gap}550{gap}5.7.26{gap}way 550-5.7.26{gap}in");
        assert_eq!(template(&reply), "550 5.7.26 no way in", "{gap:?}");
    }
}

#[test]
fn a_number_of_many_digits_is_no_part_of_an_address() {
    for digits in ["42949672960000000000", "4294967296", "256"] {
        let reply = template(&format!("smtp;550 a 1.2.3.{digits} b"));
        assert!(!reply.contains("{ip}"), "{reply}");
    }
}

#[test]
fn an_account_without_a_domain_is_masked() {
    for text in ["User unknown: jane", "unknown user: \"jane\"", "No such user: jane.doe7."] {
        let masked = template(&format!("smtp;550 {text}"));
        assert!(masked.contains("{email}") && !masked.contains("jane"), "{masked}");
    }
}

#[test]
fn without_a_reply_the_status_speaks() {
    let mut out = String::from("before ");
    let status = "5.4.7 (delivery time expired)";
    template_of(&Reply::parse("", status), status, &mut out);
    assert_eq!(out, "before 5.4.7 (delivery time expired)");
}

#[test]
fn a_long_reply_ends_with_a_whole_word() {
    let words = template(&format!("smtp;550 5.1.1 {}", "seven7s ".repeat(100)));
    assert_eq!(words, "550 5.1.1 {id}");
    let words = template(&format!("smtp;550 5.1.1 {}", "sevens ".repeat(100)));
    assert!(words.len() <= MAX && words.len() > MAX - 10 && words.ends_with(" sevens"), "{words}");
    let one = template(&format!("smtp;550 {}", "\u{90ae}".repeat(500)));
    assert!(one.len() <= MAX && one.len() > MAX - 10, "{one}");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_none_grows_long(text in "\\PC{0,400}") {
        let reply = template(&format!("smtp;550 5.1.1 {text}"));
        prop_assert!(reply.len() <= MAX && template(&text).len() <= MAX);
    }

    #[test]
    fn what_is_made_of_its_own_marks_makes_no_panic(text in "[a-bA-B0-2 .:@/=<>\"'\\[\\](){}#?&;,_+-]{0,80}") {
        let reply = template(&format!("smtp;550-{text}"));
        prop_assert!(reply.len() <= MAX);
    }

    #[test]
    fn a_template_is_its_own_template(
        words in proptest::collection::vec(
            "[A-Z]?[a-z]{1,9}[.,:;]?|[0-9]{1,6}|[0-9a-f]{8,20}|[a-z]{1,8}@[a-z]{2,6}[.]org|([0-9]{1,3}[.]){3}[0-9]{1,3}|[(]?[A-Z]{1,4}[0-9]{1,4}[)]?|https://[a-z]{2,6}[.]com/[a-z0-9]{0,9}",
            0..20,
        ),
    ) {
        let once = template(&format!("smtp;550 5.1.1 {}", words.join(" ")));
        prop_assert_eq!(template(&format!("smtp;{once}")), once);
    }

    #[test]
    fn what_differs_from_message_to_message_makes_no_template(
        (ip, other_ip) in any::<([u8; 4], [u8; 4])>(),
        (id, other_id) in ("[0-9a-f]{11}z[0-9]", "[0-9a-f]{11}z[0-9]"),
        (n, other_n) in ("[1-9][0-9]{4,9}", "[1-9][0-9]{4,9}"),
        (user, other_user) in ("[a-z0-9.+_-]{1,20}", "[a-z0-9.+_-]{1,20}"),
    ) {
        let reply = |ip: [u8; 4], id: &str, n: &str, user: &str| {
            let ip = std::net::Ipv4Addr::from(ip);
            template(&format!("smtp;550 5.7.1 <{user}@a.org> from [{ip}] after {n} s ({id}) - x"))
        };
        prop_assert_eq!(
            reply(ip, &id, &n, &user),
            reply(other_ip, &other_id, &other_n, &other_user)
        );
    }
}
