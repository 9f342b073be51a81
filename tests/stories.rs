//! What follows a recipient over several records, recounted record by record from the definitions.

use std::collections::{BTreeMap, HashMap};

use pmtaq_schema::message_key::recipient_key;
use serde_json::Value;

use crate::sealed::Sealed;

const HEADER: &str = "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,bounceCat,dlvDestinationIp,vmta,jobId,envId\n";

/// A record of few recipients, senders, jobs and identifiers, so that they meet often, in all ways.
#[derive(Clone, Debug)]
struct Record {
    rec: &'static str,
    second: usize,
    rcpt: &'static str,
    orig: &'static str,
    env_id: &'static str,
    job: &'static str,
    vmta: &'static str,
    is_dead: bool,
}

/// Numbers in no order, the same in each run.
struct Dice(u64);

impl Dice {
    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        of[(self.0 >> 33) as usize % of.len()]
    }
}

/// `n` records, one every seven minutes, so that they are of several days.
fn records(seed: u64, n: usize) -> Vec<Record> {
    let mut dice = Dice(seed);
    let record = |at: usize| Record {
        rec: dice.one_of(&["d", "d", "d", "rb", "f", "b"]),
        second: at * 420,
        rcpt: dice.one_of(&["u@x.example", "U@X.example", "v@x.example", "w@y.example"]),
        orig: dice.one_of(&["", "a@s.example", "b@s.example"]),
        env_id: dice.one_of(&["", "e1", "e2", "e3", "e4", "e5"]),
        job: dice.one_of(&["", "", "J1", "J2"]),
        vmta: dice.one_of(&["v1", "v2"]),
        is_dead: dice.one_of(&[true, false]),
    };
    (0..n).map(record).collect()
}

impl Record {
    fn time(&self, format: &str) -> String {
        let (day, second) = (1 + self.second / 86400, self.second % 86400);
        let (hour, minute) = (second / 3600, second % 3600 / 60);
        match format {
            "json" => format!("2026-03-{day:02}T{hour:02}:{minute:02}:00Z"),
            _ => format!("2026-03-{day:02} {hour:02}:{minute:02}:00+0000"),
        }
    }

    fn line(&self) -> String {
        let Record { rec, rcpt, orig, env_id, job, vmta, .. } = self;
        let time = self.time("csv");
        let (status, reply, category) = match (*rec, self.is_dead) {
            ("d", _) => ("2.0.0", "smtp;250 ok", ""),
            ("f", _) => ("", "", ""),
            (_, true) => ("5.1.1", "smtp;550 5.1.1 no such user", "bad-mailbox"),
            (_, false) => ("5.2.2", "smtp;552 5.2.2 mailbox full", "quota-issues"),
        };
        let is_ours = ["d", "b"].contains(rec);
        let (ip, vmta) = if is_ours { ("198.51.100.1", *vmta) } else { ("", "") };
        let queued = if is_ours { time.as_str() } else { "" };
        format!(
            "{rec},{time},{queued},{orig},{rcpt},{status},{reply},{category},{ip},{vmta},{job},{env_id}\n"
        )
    }

    fn address(&self) -> String {
        self.rcpt.to_lowercase()
    }

    /// The latest delivery before it: with its envelope identifier, of these one to the same recipient,
    /// else with its recipient and its sender; of no other job than it names.
    fn delivery<'r>(&self, records: &'r [Record]) -> Option<&'r Record> {
        let may_be = |d: &&Record| {
            let is_other_job = !self.job.is_empty() && !d.job.is_empty() && self.job != d.job;
            d.rec == "d" && d.second <= self.second && !is_other_job
        };
        let before: Vec<&Record> = records.iter().filter(may_be).collect();
        let latest = |is: &dyn Fn(&Record) -> bool| {
            before.iter().copied().filter(|d| is(d)).max_by_key(|d| d.second)
        };
        let has_id = |d: &Record| !self.env_id.is_empty() && d.env_id == self.env_id;
        let is_same = |d: &Record| d.address() == self.address();
        let from_same = |d: &Record| self.orig.is_empty() || d.orig == self.orig;
        latest(&|d| has_id(d) && is_same(d))
            .or_else(|| latest(&has_id))
            .or_else(|| latest(&|d| is_same(d) && from_same(d)))
    }
}

/// A store of the records, in two files.
fn stored(records: &[Record]) -> Sealed {
    let sealed = Sealed::new();
    for (name, half) in
        ["acct-1.csv", "acct-2.csv"].iter().zip(records.chunks(records.len() / 2 + 1))
    {
        let lines: String = half.iter().map(Record::line).collect();
        let path = sealed.file(name, HEADER.to_owned() + &lines);
        sealed.ingest(&[&path]);
    }
    sealed
}

fn rows(sealed: &Sealed, args: &[&str]) -> Vec<Value> {
    let args = [args, &["--format", "json", "-q"]].concat();
    serde_json::from_str(&sealed.done(&args)).unwrap()
}

#[test]
fn what_came_back_is_of_the_delivery_that_the_definition_names_at_scale() {
    for seed in 1..=3 {
        let records = records(seed, 400);
        let sealed = stored(&records);
        let of_view = rows(
            &sealed,
            &[
                "sql",
                "select time_logged, delivered_at, vmta, job_id from returns order by time_logged",
            ],
        );
        let came = || records.iter().filter(|record| ["rb", "f"].contains(&record.rec));
        let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
        let expected = came().map(|record| {
            let delivery = record.delivery(&records);
            // The job of a delivery comes first, where it has one.
            let job = delivery.map_or("", |d| d.job);
            serde_json::json!({
                "time_logged": record.time("json"),
                "delivered_at": delivery.map(|d| d.time("json")),
                "vmta": delivery.map(|d| d.vmta),
                "job_id": text(if job.is_empty() { record.job } else { job }),
            })
        });
        assert_eq!(of_view, expected.collect::<Vec<_>>(), "seed {seed}");

        // A filter lets through what it says of the record, or of its delivery.
        let mut of_v1: BTreeMap<String, i64> = BTreeMap::new();
        for record in came().filter(|record| record.rec == "rb") {
            if let Some(delivery) = record.delivery(&records).filter(|d| d.vmta == "v1") {
                let job = if delivery.job.is_empty() { record.job } else { delivery.job };
                let job = if job.is_empty() { "(none)" } else { job };
                *of_v1.entry(job.to_owned()).or_default() += 1;
            }
        }
        let args = ["remote-bounces", "--by", "job", "--vmta", "v1", "--top", "0"];
        let counted = rows(&sealed, &args).into_iter().map(|row| {
            (row["job_id"].as_str().unwrap().to_owned(), row["bounces"].as_i64().unwrap())
        });
        assert_eq!(counted.collect::<BTreeMap<_, _>>(), of_v1, "seed {seed}");
    }
}

#[test]
fn who_was_dead_and_mailed_again_and_who_is_to_be_suppressed_is_a_matter_of_addresses_at_scale() {
    let records = records(7, 400);
    let sealed = stored(&records);
    let is_dead = |record: &&Record| ["b", "rb"].contains(&record.rec) && record.is_dead;
    let mut sent_to_dead: BTreeMap<&str, i64> = BTreeMap::new();
    for mailed in records.iter().filter(|record| ["d", "b"].contains(&record.rec)) {
        let is_before =
            |dead: &Record| dead.address() == mailed.address() && dead.second < mailed.second;
        let job = if mailed.job.is_empty() { "(none)" } else { mailed.job };
        let was_dead = records.iter().filter(is_dead).any(is_before);
        *sent_to_dead.entry(job).or_default() += i64::from(was_dead);
    }
    let mut told: BTreeMap<String, i64> = BTreeMap::new();
    for row in rows(&sealed, &["hygiene", "--top", "0"]) {
        let job = row["job_id"].as_str().unwrap().to_owned();
        *told.entry(job).or_default() += row["sent_to_dead"].as_i64().unwrap();
    }
    let expected = sent_to_dead.iter().map(|(job, n)| ((*job).to_owned(), *n));
    assert_eq!(told, expected.collect::<BTreeMap<_, _>>());
    let again: i64 = rows(&sealed, &["hygiene", "--addresses", "--top", "0"])
        .iter()
        .map(|row| row["mailed_again"].as_i64().unwrap())
        .sum();
    assert_eq!(again, sent_to_dead.values().sum::<i64>());
    // The dimension may be the provider itself.
    assert!(!rows(&sealed, &["hygiene", "--by", "provider"]).is_empty());

    let mut suppressed: BTreeMap<String, i64> = BTreeMap::new();
    for record in records.iter().filter(is_dead) {
        *suppressed.entry(record.address()).or_default() += 1;
    }
    suppressed.retain(|address, _| {
        let latest = |is: &dyn Fn(&Record) -> bool| {
            let of = records.iter().filter(|record| record.address() == *address && is(record));
            of.map(|record| record.second).max()
        };
        latest(&|record| record.rec == "d") < latest(&|record| is_dead(&record))
    });
    let listed = rows(&sealed, &["suppress"])
        .into_iter()
        .map(|row| (row["address"].as_str().unwrap().to_owned(), row["bounces"].as_i64().unwrap()));
    assert_eq!(listed.collect::<BTreeMap<_, _>>(), suppressed);
}

#[test]
fn addresses_whose_numbers_are_alike_are_told_apart() {
    let mut known = HashMap::new();
    let mut addresses = (0..).map(|n| format!("user{n}@x.example"));
    let (one, other) = addresses
        .find_map(|address| {
            let before = known.insert(recipient_key(address.as_bytes()), address.clone())?;
            Some((before, address))
        })
        .expect("two of a hundred thousand addresses have the same number");
    let sealed = Sealed::new();
    let lines = format!(
        "b,2026-03-01 10:00:05+0000,2026-03-01 10:00:00+0000,a@s.example,{one},5.1.1,smtp;550 5.1.1 no such user,bad-mailbox,198.51.100.1,v1,J1,\n\
         d,2026-03-02 10:00:05+0000,2026-03-02 10:00:00+0000,a@s.example,{other},2.0.0,smtp;250 ok,,198.51.100.1,v1,J1,\n"
    );
    sealed.ingest(&[&sealed.file("acct.csv", HEADER.to_owned() + &lines)]);
    assert_eq!(rows(&sealed, &["hygiene"])[0]["sent_to_dead"], 0);
    assert_eq!(rows(&sealed, &["hygiene", "--addresses"]), Vec::<Value>::new());
    let suppressed = rows(&sealed, &["suppress"]);
    assert_eq!((suppressed.len(), suppressed[0]["address"].as_str()), (1, Some(one.as_str())));
    for (address, event) in [(&one, "bounced"), (&other.to_uppercase(), "delivered")] {
        let traced = rows(&sealed, &["trace", address]);
        let events: Vec<_> = traced.iter().map(|row| row["event"].as_str().unwrap()).collect();
        assert_eq!(events, [event], "{address}");
    }
}

#[test]
fn what_came_back_is_counted_by_whatever_its_delivery_says_at_scale() {
    let records = records(5, 300);
    let sealed = stored(&records);
    for by in ["provider", "sender_domain", "vmta", "vmta_pool", "job_id", "queue", "dlv_source_ip"]
    {
        let of_view = rows(
            &sealed,
            &[
                "sql",
                &format!(
                    "select coalesce({by}, '(none)') as \"{by}\", count(*) as bounces from returns \
                     where rec = 'rb' group by all order by bounces desc, 1"
                ),
            ],
        );
        let counted = rows(&sealed, &["remote-bounces", "--by", by, "--top", "0"]);
        let counted =
            counted.iter().map(|row| serde_json::json!({by: row[by], "bounces": row["bounces"]}));
        assert_eq!(counted.collect::<Vec<_>>(), of_view, "{by}");
    }
}
