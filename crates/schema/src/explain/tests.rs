//! How replies are read: one by one, and what the files of knowledge must be. Never touches a store.

use super::*;

#[test]
fn every_entry_is_complete_and_has_a_public_source() {
    assert!(entries().len() > 500);
    for entry in entries() {
        let name = (entry.provider, &entry.codes, &entry.words, &entry.phrases);
        assert!(FAULTS.iter().any(|(fault, _)| *fault == entry.fault), "{name:?}");
        assert!(entry.meaning.ends_with('.') && entry.remedy.ends_with('.'), "{name:?}");
        assert!(entry.source.starts_with("http"), "{name:?}");
        assert_eq!(entry.provider == ANYONE, !entry.phrases.is_empty(), "{name:?}");
        assert_eq!(entry.provider == "any", entry.words.is_empty() && entry.phrases.is_empty());
        assert!(!entry.is_dead || ["mailbox", "domain"].contains(&entry.fault), "{name:?}");
    }
}

#[test]
fn a_line_of_another_form_is_the_error() {
    for text in ["> a | b", "> any | 1.x.1 |", "fault", "> a | | b\nwhat: this"] {
        assert!(data::parse(text, true).is_err(), "{text}");
    }
    for text in ["> @nobody knows", "> ", "> a; | 5.1.1"] {
        assert!(data::parse(text, false).is_err(), "{text}");
    }
}

fn of(text: &str) -> Vec<(&'static str, &'static str)> {
    explain(text).iter().map(|entry| (entry.provider, entry.fault)).collect()
}

#[test]
fn a_reply_is_explained_by_its_receiver_and_by_the_standard() {
    let reply = "smtp;421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to \
                 unexpected volume or user complaints";
    assert_eq!(of(reply), [("yahoo", "ip"), ("any", "policy")]);
    assert!(explain(reply)[0].words.contains(&"[tss04]".to_owned()));
    let reply = "550-5.7.26 This mail has been blocked because the sender is unauthenticated. \
                 550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.";
    assert_eq!(of(reply), [("gmail", "sender"), ("any", "sender")]);
    // The template of a report does as well as the reply itself.
    let template = "550 5.7.1 Unfortunately, messages from [{ip}] weren't sent. Please contact \
                    your Internet service provider since part of their network is on our block \
                    list (S3140).";
    assert_eq!(of(template)[0], ("microsoft", "ip"));
    assert_eq!(of("550 5.1.1 <{email}>: user does not exist")[0], (ANYONE, "mailbox"));
    assert_eq!(of("5.4.7 (delivery time expired)"), [(ANYONE, "receiver"), ("any", "receiver")]);
    assert_eq!(of("550 5.7.611 Access denied, banned sending IP [{ip}]")[0].0, "microsoft");
    assert!(of("250 2.0.0 OK").is_empty());
}

#[test]
fn a_code_alone_has_the_meaning_of_the_standard_first() {
    let all = of("5.7.26");
    assert_eq!(all[0].0, "any");
    assert!(all.len() > 2 && all[1..].iter().all(|entry| entry.0 == "gmail"));
    assert_eq!(of("TSS04"), [("yahoo", "ip")]);
    assert_eq!(of("[S3140]"), [("microsoft", "ip")]);
    for nothing in ["", " ", "x", "999", "9.9.9", "\u{fc}\u{fc}\u{fc}", "5.7.", "smtp;"] {
        assert!(of(nothing).is_empty(), "{nothing}");
    }
}

#[test]
fn a_mailbox_is_dead_by_meaning_and_by_code() {
    let dead = |template: &str| known(template).map(|known| known.is_dead);
    for template in [
        "550 5.1.1 <{email}>: Recipient address rejected: User unknown",
        "550 5.4.1 [{email}]: Recipient address rejected: Access denied [{host}]",
        "554 delivery error: dd This user doesn't have a {host} account ({email}) [0] - {host}",
        "550 5.1.1 <{email}>",
        "5.1.2 (bad destination system: no such domain)",
    ] {
        assert_eq!(dead(template), Some(true), "{template}");
    }
    for template in [
        "450 4.1.1 <{email}>: Recipient address rejected: User unknown",
        "550 5.1.1 <{email}> - {ip} has sent to too many recipients this hour. IB607",
        "550 5.1.0 <{email}> sender rejected. AUP#In-1310",
        "550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]",
        "552 5.2.2 mailbox full",
        "421 4.7.0 [TSS04] Messages from {ip} temporarily deferred",
    ] {
        assert_eq!(dead(template), Some(false), "{template}");
    }
    for template in ["250 2.0.0 Ok: user unknown", "550 {id}", ""] {
        assert_eq!(dead(template), None, "{template}");
    }
}

#[test]
fn a_pasted_reply_has_the_template_of_the_store() {
    let template = template("550 5.1.1 <user@example.com>: user does not exist");
    assert_eq!(template, "550 5.1.1 <{email}>: user does not exist");
    assert_eq!(super::template(&template), template);
}
