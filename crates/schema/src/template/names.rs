//! Names of hosts: which text is one, and which of them say the reason and are kept.

use std::cmp::Ordering;

use super::class::{NAME, is};
use crate::address::registrable;

/// What a name in a reply is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// The zone of a blocklist begins at this byte; before it are an address or a customer's key.
    Blocklist(usize),
    /// A server or a domain: one of millions.
    Other,
}

/// Domains of blocklists, sorted. Which list it was is the reason of a reply.
#[rustfmt::skip]
const BLOCKLISTS: &[&str] = &[
    "0spam.org", "abuseat.org", "abusix.zone", "backscatterer.org", "barracudacentral.org",
    "blocklist.de", "dnswl.org", "dronebl.org", "gbudb.net", "imp.ch", "inps.de",
    "invaluement.com", "junkemailfilter.com", "mail-abuse.com", "mail-abuse.org", "mailspike.net",
    "mailspike.org", "manitu.net", "nixspam.net", "njabl.org", "psbl.org", "s5h.net",
    "senderscore.com", "senderscore.org", "sorbs.net", "spamcop.net", "spameatingmonkey.net",
    "spamhaus.net", "spamhaus.org", "spamrats.com", "surbl.org", "surriel.com", "uceprotect.net",
    "unsubscore.com", "uribl.com", "wpbl.info",
];

/// Domains whose pages explain replies, sorted. A link to one of them says the reason.
#[rustfmt::skip]
const HELP: &[&str] = &[
    "126.com", "163.com", "1and1.com", "abusix.com", "aka.ms", "amazon.com", "amazonaws.com",
    "antispamcloud.com", "aol.com", "apple.com", "aruba.it", "att.com", "att.net",
    "barracudanetworks.com", "bell.ca", "bol.com.br", "broadcom.com", "bt.com", "centurylink.com",
    "charter.net", "cisco.com", "cloudflare.com", "cloudmark.com", "comcast.net", "cox.com",
    "cox.net", "daum.net", "dmarc.org", "docomo.ne.jp", "earthlink.net", "facebook.com",
    "fastmail.com", "fortiguard.com", "fortinet.com", "free.fr", "gmx.com", "gmx.de", "gmx.net",
    "godaddy.com", "google.com", "hornetsecurity.com", "i.ua", "icloud.com", "ietf.org", "interia.pl",
    "ionos.com", "ionos.de", "kakao.com", "laposte.net", "libero.it", "live.com", "locaweb.com.br",
    "mail.com", "mail.ru", "mailchannels.com", "mailchannels.net", "mailhostbox.com",
    "mcafee.com", "messagelabs.com", "microsoft.com", "mimecast.com", "mxtoolbox.com",
    "naver.com", "netease.com", "office.com", "office365.com", "onet.pl", "open-spf.net",
    "open-spf.org", "openspf.net", "openspf.org", "optusnet.com.au", "orange.fr", "outlook.com",
    "ovh.com", "ovh.net", "pobox.com", "proofpoint.com", "proton.me", "protonmail.com", "qq.com", "rackspace.com",
    "retarus.com", "rfc-editor.org", "rogers.com", "rr.com", "rspamd.com", "schweikert.ch",
    "secureserver.net", "senderbase.org", "seznam.cz", "sfr.fr", "shaw.ca", "sky.com", "sophos.com",
    "spamexperts.com", "spectrum.net", "symantec.com", "synacor.com", "t-online.de",
    "talosintelligence.com", "telekom.de", "telstra.com", "telus.net", "terra.com.br",
    "tiscali.it", "trendmicro.com", "uol.com.br", "validity.com", "verizonmedia.com",
    "virginmedia.com", "web.de", "wp.pl", "x.co", "xfinity.com", "ya.cc", "yahoo-help.jp",
    "yahoo.co.jp", "yahoo.com", "yahooinc.com", "yandex.com", "yandex.net", "yandex.ru", "zoho.com",
];

/// Top-level domains of three letters and more that are met in capitals.
const TLDS: &[&str] = &["com", "net", "org", "edu", "gov", "info", "biz", "local", "lan", "cloud"];

/// Endings of files.
#[rustfmt::skip]
const FILES: &[&str] = &[
    "asp", "aspx", "cgi", "conf", "doc", "docx", "exe", "htm", "html", "jpg", "jsp", "lock", "pdf",
    "php", "png", "shtml", "txt", "xml", "zip",
];

/// What a text is as a host name, if it is one.
pub(super) fn host(text: &str) -> Option<Host> {
    let dot = text.bytes().rposition(|b| b == b'.')?;
    // Most texts with a dot end in no top-level domain, so that is asked first.
    if !is_tld(&text[dot + 1..]) {
        return None;
    }
    let mut before = b'.';
    for byte in text[..=dot].bytes() {
        let fits = match byte {
            // No label is empty.
            b'.' => before != b'.',
            _ => is(NAME, byte),
        };
        if !fits {
            return None;
        }
        before = byte;
    }
    if !within(BLOCKLISTS, text) {
        return Some(Host::Other);
    }
    let mut from = 0;
    let mut at = 0;
    for label in text.split('.') {
        let digits = label.bytes().filter(u8::is_ascii_digit).count();
        at += label.len() + 1;
        if label.len() > 20 || digits > 2 || digits == label.len() {
            from = at;
        }
    }
    Some(Host::Blocklist(if from < text.len() { from } else { 0 }))
}

/// Whether a link to this host leads to a page that explains replies.
pub(super) fn is_help(host: &str) -> bool {
    within(HELP, host) || within(BLOCKLISTS, host)
}

fn is_tld(tld: &str) -> bool {
    let lower = tld.bytes().all(|b| b.is_ascii_lowercase());
    let one_case = lower || tld.bytes().all(|b| b.is_ascii_uppercase());
    match tld.len() {
        0 | 1 => false,
        2 => one_case,
        // Any ending will do in lower case, since the domain that does not exist is what many replies
        // are about (`gmail.con`); but `RESOLVER.ADR.NotFound` and `blocked.Please` are none.
        3..=18 => {
            (lower && !FILES.contains(&tld))
                || TLDS.iter().any(|known| known.eq_ignore_ascii_case(tld))
                || tld.get(..4).is_some_and(|ace| ace.eq_ignore_ascii_case("xn--"))
        }
        _ => false,
    }
}

fn within(names: &[&str], host: &str) -> bool {
    let host = registrable(host);
    names.binary_search_by(|name| compare(name, host)).is_ok()
}

fn compare(name: &str, host: &str) -> Ordering {
    name.bytes().cmp(host.bytes().map(|b| b.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_hold_registrable_names() {
        for names in [BLOCKLISTS, HELP] {
            assert!(names.is_sorted());
            assert!(names.iter().all(|name| registrable(name) == *name));
        }
    }

    #[test]
    fn a_blocklist_keeps_its_zone_and_loses_what_was_asked() {
        assert_eq!(host("zen.spamhaus.org"), Some(Host::Blocklist(0)));
        assert_eq!(host("1.2.0.192.zen.spamhaus.org"), Some(Host::Blocklist(10)));
        assert_eq!(
            host("abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net"),
            Some(Host::Blocklist(27))
        );
        assert_eq!(host("dnsbl-1.uceprotect.net"), Some(Host::Blocklist(0)));
    }

    #[test]
    fn ends_of_sentences_are_no_hosts() {
        for (text, expected) in [
            ("mx.example.co.uk", Some(Host::Other)),
            ("EMAIL.EXAMPLE.JP", Some(Host::Other)),
            ("a.b.unheard", Some(Host::Other)),
            ("blocked.For", None),
            ("RESOLVER.ADR.RecipNotFound", None),
            ("blocked.php", None),
            ("i.e", None),
            (".com", None),
        ] {
            assert_eq!(host(text), expected, "{text}");
        }
    }
}
