//! How well replies are read, on public ones that were labelled by hand: whose fault they say it
//! is, and whether the mailbox is dead. `scripts/reply-figures` prints the table.

#![expect(clippy::print_stdout, reason = "scripts/reply-figures shows the table to people")]

use std::collections::BTreeMap;

use pmtaq_schema::bounce::{BounceClass, bounce_class};
use pmtaq_schema::explain::{FAULTS, known, template};

/// A reply of samples/replies/labelled.csv.
struct Labelled {
    part: String,
    text: String,
    fault: String,
    is_dead: bool,
    pmta_category: String,
}

fn labelled() -> Vec<Labelled> {
    let mut file =
        csv::Reader::from_reader(include_str!("../../../samples/replies/labelled.csv").as_bytes());
    let read = |row: csv::Result<csv::StringRecord>| {
        let row = row.expect("a row of the file");
        let cell = |at: usize| row[at].to_owned();
        assert!(row[6].starts_with("https://"), "no source: {row:?}");
        assert!(["yes", "no"].contains(&&row[4]), "{row:?}");
        Labelled {
            part: cell(0),
            text: cell(1),
            fault: cell(3),
            is_dead: &row[4] == "yes",
            pmta_category: cell(5),
        }
    };
    file.records().map(read).collect()
}

#[derive(Default)]
struct Figures {
    replies: f64,
    dead: f64,
    said_dead: f64,
    both: f64,
    fault: f64,
}

impl Figures {
    fn add(&mut self, reply: &Labelled, says_dead: bool, is_right: bool) {
        let one = |is: bool| f64::from(u8::from(is));
        self.replies += 1.0;
        self.dead += one(reply.is_dead);
        self.said_dead += one(says_dead);
        self.both += one(reply.is_dead && says_dead);
        self.fault += one(is_right);
    }

    fn precision(&self) -> f64 {
        self.both / self.said_dead
    }

    fn recall(&self) -> f64 {
        self.both / self.dead
    }

    fn right(&self) -> f64 {
        self.fault / self.replies
    }
}

/// The faults that a category of PMTA may stand for: more than one is right where it says no more.
fn faults_of(category: &str) -> &'static [&'static str] {
    match category {
        "bad-mailbox" | "inactive-mailbox" | "quota-issues" => &["mailbox"],
        "bad-domain" | "relaying-issues" => &["domain"],
        "routing-errors" => &["domain", "receiver"],
        "invalid-sender" => &["sender"],
        "spam-related" => &["content", "ip"],
        "content-related" | "virus-related" => &["content"],
        "policy-related" => &["policy", "sender", "ip"],
        "protocol-errors" => &["own"],
        "bad-connection" | "no-answer-from-host" | "message-expired" | "bad-configuration" => {
            &["receiver"]
        }
        _ => &[],
    }
}

#[test]
fn replies_that_nobody_looked_at_while_rules_were_written_are_read_right() {
    let mut figures: BTreeMap<(String, &str), Figures> = BTreeMap::new();
    for reply in &labelled() {
        assert!(FAULTS.iter().any(|(fault, _)| *fault == reply.fault), "{}", reply.fault);
        let found = known(&template(&reply.text));
        let fault = found.and_then(|known| known.fault()).unwrap_or("");
        let is_dead = found.is_some_and(|known| known.is_dead);
        let wrong = fault != reply.fault || is_dead != reply.is_dead;
        if wrong && std::env::var_os("WRONG").is_some() {
            println!("{} {}: {fault} {is_dead}: {}", reply.part, reply.fault, reply.text);
        }
        let of = |who| (reply.part.clone(), who);
        let ours = figures.entry(of("pmtaq")).or_default();
        ours.add(reply, is_dead, fault == reply.fault);
        let category = &reply.pmta_category;
        let theirs = figures.entry(of("PMTA's default categories")).or_default();
        let is_right = faults_of(category).contains(&reply.fault.as_str());
        theirs.add(reply, bounce_class(category) == BounceClass::Hard, is_right);
    }
    println!("{:8} {:26} replies   dead  precision  recall  fault", "part", "by");
    for ((part, who), of) in &figures {
        println!(
            "{part:8} {who:26} {:7} {:6} {:10.3} {:7.3} {:6.3}",
            of.replies,
            of.dead,
            of.precision(),
            of.recall(),
            of.right()
        );
    }
    for part in ["learned", "unseen"] {
        let ours = &figures[&(part.to_owned(), "pmtaq")];
        assert!(ours.replies >= 200.0, "{part}: {} replies", ours.replies);
        assert!(ours.precision() >= 0.99, "{part}: precision {}", ours.precision());
        assert!(ours.recall() >= 0.95, "{part}: recall {}", ours.recall());
        assert!(ours.right() >= 0.9, "{part}: fault {}", ours.right());
    }
}
