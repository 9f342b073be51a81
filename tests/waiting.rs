//! Who waits in the queue, where receptions do not say it as plainly as they could: recounted by looking at
//! each recipient at the end of each hour.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sealed::Sealed;

const HEADER: &str =
    "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,vmta,envId,userString\n";

const HOUR: usize = 3600;

/// A recipient: when it was queued and by which MTA, in seconds of the day; when it was deferred, and when it left.
struct Recipient {
    number: usize,
    queued: usize,
    mta: &'static str,
    deferred: Option<usize>,
    left: Option<usize>,
}

/// How many seconds before it is queued a reception of it is logged, if one is.
type Reception = fn(&Recipient) -> Option<usize>;

/// One every 40 seconds from six to noon. Each fifth is deferred; each fiftieth never leaves, and of those some were
/// deferred before.
fn recipients() -> impl Iterator<Item = Recipient> {
    (0..6 * HOUR / 40).map(|number| {
        let queued = 6 * HOUR + number * 40;
        let stays = 1 + number * 7919 % 2000;
        Recipient {
            number,
            queued,
            mta: if number.is_multiple_of(3) { "mta1" } else { "mta2" },
            deferred: number.is_multiple_of(5).then_some(queued + 30),
            left: (number % 50 > 1).then_some(queued + 60 + stays),
        }
    })
}

fn time(second: usize) -> String {
    format!("2026-03-01 {:02}:{:02}:{:02}+0000", second / 3600, second / 60 % 60, second % 60)
}

impl Recipient {
    /// Its domain: half of them are of one.
    fn domain(&self) -> &'static str {
        if self.number.is_multiple_of(2) { "x.example" } else { "y.example" }
    }

    /// Its records. The reception is logged so many seconds before it is queued; none where nothing says.
    fn lines(&self, reception: Option<usize>) -> String {
        let Recipient { number, mta, .. } = self;
        let queued = time(self.queued);
        let line = |rec: &str, at: usize, queued: &str, status: &str, reply: &str| {
            let at = time(at);
            let domain = self.domain();
            format!(
                "{rec},{at},{queued},a@s.example,u{number}@{domain},{status},{reply},v1,e{number},{mta}\n"
            )
        };
        let received = reception.map(|before| line("r", self.queued - before, "", "", ""));
        let deferred =
            self.deferred.map(|at| line("t", at, &queued, "4.2.1", "smtp;421 4.2.1 later"));
        let left = self.left.map(|at| line("d", at, &queued, "2.0.0", "smtp;250 ok"));
        [received, deferred, left].into_iter().flatten().collect()
    }
}

#[test]
fn who_waits_is_known_where_receptions_are_early_or_missing_or_pass_another_filter_at_scale() {
    // All deliveries to one domain are left out, and no reception.
    let without = ["--where", "rec = 'r' or rcpt_domain = 'x.example'"];
    let receptions: [Reception; 5] = [
        |_| Some(0),
        |_| Some(1),
        |of| Some(usize::from(of.number.is_multiple_of(97))),
        |of| (of.mta == "mta1").then_some(0),
        |of| (of.mta == "mta1").then_some(1),
    ];
    for (nth, reception) in receptions.into_iter().enumerate() {
        let sealed = Sealed::new();
        let lines: String = recipients().map(|of| of.lines(reception(&of))).collect();
        sealed.ingest(&[&sealed.file("acct.csv", HEADER.to_owned() + &lines)]);
        for filter in [&[][..], &without] {
            let is_asked = |of: &Recipient| filter.is_empty() || of.domain() == "x.example";
            // When it came and left, if it is known to have come.
            let stay = |of: &Recipient| match (of.left, of.deferred, reception(of)) {
                (Some(left), ..) if is_asked(of) => Some((of.queued, Some(left))),
                (None, Some(_), _) if is_asked(of) => Some((of.queued, None)),
                // Who was deferred did not only come.
                (None, None, Some(before)) => Some((of.queued - before, None)),
                _ => None,
            };
            let waiting = |at: usize| {
                recipients().filter(move |of| {
                    let waits = |(came, left): (usize, Option<usize>)| {
                        came < at && left.is_none_or(|left| left >= at)
                    };
                    stay(of).is_some_and(waits)
                })
            };
            let rows = |args: &[&str]| -> Vec<Value> {
                let args = [&["queue", "--format", "json", "-q"], args, filter].concat();
                serde_json::from_str(&sealed.done(&args)).unwrap()
            };
            let steps = rows(&[]);
            let told = steps.iter().map(|row| row["depth"].as_u64().unwrap()).collect::<Vec<_>>();
            let hour =
                |row: &Value| row["time"].as_str().unwrap()[11..13].parse::<usize>().unwrap();
            let depth = |row| waiting((hour(row) + 1) * HOUR).count() as u64;
            assert!(told.len() > 5);
            assert_eq!(
                told,
                steps.iter().map(depth).collect::<Vec<_>>(),
                "receptions {nth}, {filter:?}"
            );
            // `why` reads two hours before its window and a day behind: what has no record there is unknown to it.
            let in_reach = |of: &Recipient, at: usize| {
                let since = at - 3 * HOUR;
                let last = of.left.or(of.deferred).or_else(|| Some(of.queued - reception(of)?));
                last.is_some_and(|last| last >= since)
            };
            let why = |hour: usize| -> Value {
                let at = |hour: usize| format!("2026-03-01T{hour:02}:00");
                let window = ["--since", &at(hour - 1), "--until", &at(hour)];
                let args = ["why", "queue_depth", "--vs", "previous", "--format", "json", "-q"];
                serde_json::from_str(&sealed.done(&[&args[..], &window, filter].concat())).unwrap()
            };
            for hour in 8..12 {
                let known = |at: usize| waiting(at).filter(|of| in_reach(of, at)).count() as u64;
                let why = why(hour);
                let told = (why[0]["now"].as_u64(), why[0]["usual"].as_u64());
                let expected = (Some(known(hour * HOUR)), Some(known((hour - 1) * HOUR)));
                assert_eq!(told, expected, "why at {hour}, {nth}, {filter:?}");
            }
            for hour in 7..12 {
                let at = hour * HOUR + 600;
                let told = rows(&["--at", &format!("2026-03-01T{hour:02}:10")]);
                let told = told.iter().map(|row| {
                    let count = |name: &str| row[name].as_u64().unwrap();
                    (row["rcpt_domain"].as_str().unwrap(), (count("depth"), count("untried")))
                });
                let mut expected: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
                for of in waiting(at) {
                    let is_untried = u64::from(of.deferred.is_none_or(|deferred| deferred >= at));
                    for group in [of.domain(), "(all)"] {
                        let (depth, untried) = expected.entry(group).or_default();
                        (*depth, *untried) = (*depth + 1, *untried + is_untried);
                    }
                }
                assert_eq!(
                    told.collect::<BTreeMap<_, _>>(),
                    expected,
                    "at {hour}:10, {nth}, {filter:?}"
                );
            }
        }
    }
}
