//! Recipients by tokens or masks: no address of one is anywhere in the store, and the counts are
//! those of a store that has them all.

use std::collections::HashSet;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use pmtaq_schema::Window;
use pmtaq_schema::words::is_of_replies;
use pmtaq_store::{PartReader, Store};

use crate::sealed::{Sealed, root};

const KEY: &str = "jC1aFhNqJmJmWn3cVwQ7n0H9b1s2k4m6p8r0t2v4x6z8=\n";

/// A place where hashed recipients have a key, with `samples` and `quirks` ingested.
pub(crate) fn ingested(mode: &str) -> Sealed {
    let sealed = Sealed::new();
    key(&sealed, KEY);
    let all = ["ingest", "-q", "--host", "testmta", "--privacy", mode, "--max-rejects", "99"];
    let run = sealed.run(&[&all[..], &["samples/acct", "samples/quirks"]].concat());
    assert_eq!(run.code, Some(1), "some of the quirks are refused: {run:?}");
    sealed
}

fn key(sealed: &Sealed, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = sealed.file("etc/pmtaq/privacy.key", text);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Every value of every column of every part, the manifests, and the bytes of the parts.
fn everything(sealed: &Sealed) -> HashSet<String> {
    let mut all = HashSet::new();
    let snapshot = Store::open(&sealed.store()).unwrap().snapshot(Window::ALL).unwrap();
    for part in &snapshot.parts {
        for batch in PartReader::open(&part.path, part.part.table, |_| true).unwrap() {
            let batch = batch.unwrap();
            for column in batch.columns() {
                let cells = ArrayFormatter::try_new(column, &FormatOptions::new()).unwrap();
                all.extend((0..batch.num_rows()).map(|row| cells.value(row).to_string()));
            }
        }
    }
    for path in glob::glob(sealed.store().join("**/*").to_str().unwrap()).unwrap() {
        let path = path.unwrap();
        if path.is_file() {
            all.insert(String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
        }
    }
    all.into_iter().map(|text| text.to_lowercase()).collect()
}

/// The local parts and domains of all recipients.
fn recipients(plain: &Sealed) -> Vec<(String, String)> {
    let sql = "select distinct lower(regexp_replace(a, '^rfc822;', '')) from
               (select unnest([rcpt, orcpt]) a from records) where a like '%_@_%'";
    let list = plain.done(&["sql", sql, "--format", "jsonl"]);
    let addresses = list.lines().map(|line| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let address = row.as_object().unwrap().values().next().unwrap().as_str().unwrap();
        let (local, domain) = address.rsplit_once('@').unwrap();
        (local.trim_start_matches('<').to_owned(), domain.trim_end_matches('>').to_owned())
    });
    addresses.filter(|(local, _)| local.contains(char::is_alphanumeric)).collect()
}

#[test]
fn no_address_of_a_recipient_is_anywhere_in_a_private_store_at_scale() {
    let plain = ingested("none");
    let recipients = recipients(&plain);
    assert!(recipients.len() > 2500, "{}", recipients.len());
    let found = |sealed: &Sealed| -> Vec<String> {
        let everything = everything(sealed);
        let of_locals = |c: char| !c.is_alphanumeric() && !".+_-".contains(c);
        let words: HashSet<&str> =
            everything.iter().flat_map(|text| text.split(of_locals)).collect();
        let telling = |local: &str| local.len() > 4 && !is_of_replies(local);
        // A short one could stand in any word: then it is looked for with its domain.
        let stands = |text: &str, address: &str| {
            let mut at = text.match_indices(address);
            at.any(|(at, _)| !text[..at].ends_with(char::is_alphanumeric))
        };
        let left = recipients.iter().filter(|(local, domain)| {
            if telling(local) {
                return words.contains(local.as_str());
            }
            let address = ["@", "=", "%40"].map(|sign| format!("{local}{sign}{domain}"));
            // Among compressed bytes its few letters may stand by chance.
            let texts = everything.iter().filter(|text| !text.starts_with("par1"));
            texts.into_iter().any(|text| address.iter().any(|a| stands(text, a)))
        });
        left.map(|(local, domain)| format!("{local}@{domain}")).collect()
    };
    assert!(found(&plain).len() > 2500, "the search finds what there is");
    assert_eq!(found(&ingested("hash")), [""; 0]);
    assert_eq!(found(&ingested("mask")), [""; 0]);
}

#[test]
fn counts_and_reports_are_those_of_a_store_with_all_addresses_at_scale() {
    let plain = ingested("none");
    let counts = "select rec, rcpt_domain, sender_domain, provider, template, smtp_code, job_id,
                  vmta, bounce_cat, count(*) n from records group by all order by all";
    // A domain in two spellings is one to a token and two to its text.
    let distinct = "select rcpt_domain, count(distinct lower(rcpt)) from records
                    where rcpt_domain not like 'xn--%' group by 1 order by 1";
    for mode in ["hash", "mask"] {
        let private = ingested(mode);
        assert_eq!(private.done(&["verify", "-q"]), "");
        let mut asked = vec![
            vec!["sql", counts, "--format", "csv"],
            vec!["top-bounces"],
            vec!["domains"],
            vec!["volume"],
            vec!["throttles"],
            vec!["latency"],
            vec!["new-replies", "--since", "2026-03-02"],
            vec!["pivot", "--rows", "provider,template", "--metric", "bounced,deferral_rate"],
            vec![
                "why",
                "deferral_rate",
                "--window",
                "2026-03-02T16:00..2026-03-02T18:00",
                "--vs",
                "previous",
            ],
        ];
        if mode == "hash" {
            // These tell recipients apart, which masks do not.
            asked.push(vec!["sql", distinct, "--format", "csv"]);
            asked.extend([vec!["complaints"], vec!["remote-bounces"], vec!["survival"]]);
        }
        for args in asked {
            let (expected, found) = (plain.run(&args), private.run(&args));
            assert_eq!(found.transcript(), expected.transcript(), "{mode}: {args:?}");
        }
    }
}

/// A record of one recipient, and one of another.
const ROWS: &str = "type,timeLogged,orig,rcpt,dsnDiag\r\n\
    d,2026-03-01 10:00:00+0000,b-jane=example.org@esp.net,Jane@Example.org,smtp;250 ok\r\n\
    b,2026-03-01 11:00:00+0000,x@esp.net,john@example.org,\"smtp;550 5.1.1 <jane@example.org> unknown\"\r\n\
    d,yesterday,x@esp.net,jane@example.org,smtp;250 ok\r\n";

#[test]
fn a_recipient_is_found_and_forgotten_by_the_address_at_scale() {
    let sealed = Sealed::new();
    key(&sealed, KEY);
    let path = sealed.file("acct.csv", ROWS);
    sealed.run(&["ingest", "-q", "--privacy", "hash", path.to_str().unwrap()]);
    let count = |args: &[&str]| -> String {
        let found = sealed.done(&[&["search", "--count", "--format", "csv"], args].concat());
        found.lines().nth(1).unwrap().to_owned()
    };
    assert_eq!(count(&["--rcpt", "JANE@example.org"]), "1");
    assert_eq!(count(&["jane@example.org"]), "2", "also where a reply names her");
    assert_eq!(count(&["--orig", "b-jane=example.org@esp.net"]), "1");
    assert_eq!(count(&["--rcpt", "@example.org"]), "2");
    let story = sealed.done(&["trace", "jane@EXAMPLE.org"]);
    let token = story.split('@').next().unwrap().to_owned();
    assert!(token.starts_with("h-") && story.contains("delivered"), "{story}");
    assert_eq!(sealed.done(&["trace", &format!("{token}@example.org")]), story);
    let none = sealed.run(&["trace", "jean@example.org"]);
    assert!(none.stderr.contains("no record has the recipient jean@example.org\n"), "{none:?}");
    let regex = sealed.run(&["search", "--rcpt", "jane@.*", "--regex", "--count"]);
    assert!(regex.stderr.contains("no regular expression finds one"), "{regex:?}");

    let run = sealed.run(&["forget", "--rcpt", "jane@example.org", "--yes"]);
    let said = "1 records, 1 refused lines, mentions in 1 other records";
    assert!(run.code == Some(0) && run.stderr.contains(said), "{run:?}");
    assert_eq!(count(&["jane@example.org"]), "0");
    assert_eq!(sealed.done(&["verify", "-q"]), "");
}

#[test]
fn a_mask_is_many_and_none_of_them_can_be_erased() {
    let sealed = Sealed::new();
    let path = sealed.file("acct.csv", ROWS);
    sealed.run(&["ingest", "-q", "--privacy", "mask", path.to_str().unwrap()]);
    let run = sealed.run(&["trace", "jane@example.org"]);
    assert!(run.stderr.contains("recipients are masked here: j***@example.org may be many"));
    assert!(run.stdout.contains("***@example.org"), "{run:?}");
    let run = sealed.run(&["forget", "--rcpt", "jane@example.org", "--yes"]);
    assert!(run.code == Some(2) && run.stderr.contains("cannot be told apart"), "{run:?}");
    let raw = sealed.done(&["sql", "select raw from rejects", "--format", "csv"]);
    assert!(raw.contains("d,yesterday,x***@esp.net,j***@example.org,smtp;250 ok"), "{raw}");
}

#[test]
fn a_store_keeps_recipients_in_one_way_and_says_which() {
    let sealed = Sealed::new();
    let (one, other) =
        (sealed.file("a.csv", ROWS), sealed.file("b.csv", ROWS.replace("10:", "12:")));
    let ingest = |path: &std::path::Path, mode: &[&str]| {
        let path = path.to_str().unwrap();
        sealed.run(&[&["ingest", "-q", "--max-rejects", "9", path], mode].concat())
    };
    let run = ingest(&one, &["--privacy", "hash"]);
    assert!(
        run.code == Some(2)
            && run.stderr.contains("hashed recipients need a key: no $DIR/etc/pmtaq/privacy.key"),
        "{run:?}"
    );
    key(&sealed, "secret\n");
    let run = ingest(&one, &["--privacy", "hash"]);
    assert!(run.code == Some(2) && run.stderr.contains("shorter than 32 characters"), "{run:?}");
    sealed.file("etc/pmtaq/privacy.key", KEY);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(sealed.dir.path().join("etc/pmtaq/privacy.key"), open).unwrap();
    let run = ingest(&one, &["--privacy", "hash"]);
    assert!(run.code == Some(2) && run.stderr.contains("can be read by everyone"), "{run:?}");
    key(&sealed, KEY);
    // What failed left a store without records, which may still become any.
    assert_eq!(ingest(&one, &["--privacy", "hash"]).code, Some(0));

    for mode in ["none", "mask"] {
        let run = ingest(&other, &["--privacy", mode]);
        assert!(
            run.code == Some(2) && run.stderr.contains("the store has recipients hashed"),
            "{run:?}"
        );
    }
    key(&sealed, &KEY.replace("jC1", "kC1"));
    let run = ingest(&other, &[]);
    assert!(
        run.code == Some(2) && run.stderr.contains("the store has recipients hashed"),
        "{run:?}"
    );
    let run = sealed.run(&["trace", "jane@example.org"]);
    assert!(run.code == Some(2) && run.stderr.contains("privacy.key must be the one"), "{run:?}");
    key(&sealed, KEY);
    assert_eq!(ingest(&other, &[]).code, Some(0), "not said again, it is as before");
    assert_eq!(sealed.number("select count(*) from records where rcpt like '%jane%'"), 0);
    let told = sealed.done(&["status"]);
    assert!(told.contains("privacy   recipients hashed with the key "), "{told}");
    assert!(sealed.done(&["status", "--format", "json"]).contains("\"recipients\""));

    let plain = Sealed::new();
    plain.file("etc/pmtaq.toml", "[ingest]\nprivacy = 'mask'\n");
    let path = plain.file("a.csv", ROWS);
    plain.run(&["ingest", "-q", path.to_str().unwrap()]);
    assert!(plain.done(&["status"]).contains("privacy   recipients masked"));
}

#[test]
fn a_file_is_known_again_whatever_is_done_to_its_recipients() {
    for mode in ["hash", "mask"] {
        let sealed = Sealed::new();
        key(&sealed, KEY);
        let ingest = |content: &str, name: &str| {
            let path = sealed.file(name, content);
            let args = ["ingest", "-q", "--format", "json", "--privacy", mode];
            let run = sealed.run(&[&args[..], &[path.to_str().unwrap()]].concat());
            let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
            (json[0]["stored"].as_u64().unwrap(), json[0]["duplicate"].as_u64().unwrap())
        };
        let half = &ROWS[..ROWS.find("b,2026").unwrap()];
        assert_eq!(ingest(half, "a.csv"), (1, 0));
        assert_eq!(ingest(ROWS, "a.csv"), (1, 1), "grown");
        assert_eq!(ingest(ROWS, "renamed.csv"), (0, 3), "renamed");
    }
}

/// What stands between the store and who would try addresses: all that is known of a source but the
/// addresses in it must not be enough to find these.
#[test]
fn the_hashes_of_a_source_say_nothing_of_its_recipients() {
    let sealed = Sealed::new();
    key(&sealed, KEY);
    let half = &ROWS[..ROWS.find("b,2026").unwrap()];
    let sources = |mode: &str, name: &str, store: &Sealed| {
        let path = store.file(name, half);
        store.run(&["ingest", "-q", "--privacy", mode, path.to_str().unwrap()]);
        let pattern = store.store().join("_pmtaq/days/2026-03-01/sources-*.json");
        let path = glob::glob(pattern.to_str().unwrap()).unwrap().next().unwrap().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let source = &json["entries"][0];
        let known = ["head", "hash"].map(|key| source[key].to_string());
        assert!(known.iter().all(|value| value.len() > 8), "{known:?}");
        known
    };
    let plain = Sealed::new();
    let open = sources("none", "a.csv", &plain);
    let hidden = sources("hash", "a.csv", &sealed);
    let is_apart =
        |one: &[String; 2], other: &[String; 2]| one.iter().zip(other).all(|(a, b)| a != b);
    assert!(is_apart(&hidden, &open), "{hidden:?} {open:?}");
    // Another key gives other hashes: they cannot be had without it.
    let other = Sealed::new();
    key(&other, &KEY.replace("jC1", "kC1"));
    let again = sources("hash", "a.csv", &other);
    assert!(is_apart(&again, &hidden), "{again:?} {hidden:?}");
    assert!(root().join("docs/privacy.md").is_file());
}
