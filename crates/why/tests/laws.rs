//! What holds of every answer, whatever the counts: parts add up, and nothing is larger than what
//! it was made from.
#![allow(missing_docs, reason = "a test")]

use pmtaq_why::{Answer, Counts, Kind, Metric, Part, Stage, explain};
use proptest::prelude::*;

const DIMS: [&str; 6] =
    ["provider", "sender_domain", "vmta_pool", "vmta", "dlv_source_ip", "job_id"];

/// What became of the messages of a leaf in a period.
#[derive(Clone, Debug)]
struct Row {
    period: usize,
    leaf: [u8; 4],
    is_carried: bool,
    injected: u16,
    delivered: u16,
    bounced: u16,
    aside: u16,
    held: u16,
    deferred: u16,
    complained: u16,
    marked: u16,
    /// Who waited before the period, came in and went out.
    queue: [u16; 3],
}

fn row(n_baseline: usize) -> impl Strategy<Value = Row> {
    let few_or_many = || prop_oneof![3 => Just(0), 3 => 0..30_u16, 2 => 0..3000_u16];
    let counts = prop::collection::vec(few_or_many(), 11);
    let leaf = [0..3_u8, 0..4_u8, 0..3_u8, 0..6_u8];
    (0..=n_baseline, leaf, prop::bool::weighted(0.2), counts).prop_map(
        |(period, leaf, is_carried, n)| Row {
            period,
            leaf,
            is_carried,
            injected: n[0],
            delivered: n[1],
            bounced: n[2],
            aside: n[3],
            held: n[4],
            deferred: n[5],
            complained: n[6],
            marked: n[7],
            queue: [n[8], n[9], n[10].min(n[8] + n[9])],
        },
    )
}

fn table(n_baseline: usize, rows: &[Row]) -> Counts {
    let mut counts = Counts::new(&DIMS, n_baseline);
    for row in rows {
        let [provider, sender, vmta, job] = row.leaf;
        let texts = [
            format!("provider-{provider}"),
            format!("sender-{sender}"),
            format!("pool-{}", vmta / 2),
            format!("vmta-{vmta}"),
            format!("ip-{vmta}"),
            format!("job-{sender}-{job}"),
        ];
        let mut values: Vec<Option<&str>> = texts.iter().map(|text| Some(text.as_str())).collect();
        if job == 0 {
            values[5] = None;
        }
        let mut add = |kind, category, n: u16| {
            if row.is_carried {
                counts.add_carried(row.period, &values, kind, category, n.into())
            } else {
                counts.add(row.period, &values, kind, category, n.into())
            }
        };
        add(Kind::Delivered, None, row.delivered);
        add(Kind::Bounced, Some("bad-mailbox"), row.bounced);
        add(Kind::Aside, Some("spam-related"), row.aside);
        add(Kind::Held, Some("policy-related"), row.held);
        add(Kind::Deferred, None, row.deferred);
        add(Kind::Complained, None, row.complained);
        add(Kind::Marked, None, row.marked);
        let [before, came, went] = row.queue;
        add(Kind::WaitedBefore, None, before);
        add(Kind::CameIn, None, came);
        add(Kind::WentOut, None, went);
        add(Kind::Waiting, None, before + came - went);
        // A reception knows no address.
        values[4] = None;
        counts.add(row.period, &values, Kind::Injected, None, row.injected.into());
    }
    counts
}

/// No more than `most`, but for what rounding adds.
fn within(n: f64, most: f64) -> bool {
    n.abs() <= most * (1.0 + 1e-9) + 1e-6
}

fn holds(answer: &Answer) -> Result<(), TestCaseError> {
    let metric = answer.metric;
    let change = answer.now - answer.usual;
    let parts: f64 = answer.steps.iter().map(|step| step.effect).sum();
    if !answer.steps.is_empty() {
        prop_assert!((parts - change).abs() < 1e-6, "{}: {parts} of {change}", metric.name);
    }
    // What one message can do to the metric.
    let unit = answer.of.map_or(1.0, |(now, _)| 100.0 / now.max(1.0));
    for step in &answer.steps {
        let Part::Stage(stage) = step.part else { continue };
        let most = if stage.is_volume() { step.now.1 + step.usual.1 } else { step.now.0 };
        let told = format!("{} {step:?}", metric.name);
        // Complaints come in later than what they are about: there may be more of them.
        let most = if stage == Stage::Complaints { most.max(step.now.1) } else { most };
        prop_assert!(within(step.effect, unit * most), "{told}");
        prop_assert!(
            within(step.now.1, if stage.is_volume() { step.now.1 } else { most }),
            "{told}"
        );
    }
    for cause in &answer.causes {
        let told = format!("{} {cause:?}", metric.name);
        let most = if cause.stage.is_volume() {
            cause.now.1 + cause.usual.1
        } else if cause.stage == Stage::Complaints {
            cause.now.0.max(cause.now.1)
        } else {
            cause.now.0
        };
        prop_assert!(within(cause.effect, unit * most), "{told}");
        prop_assert!(within(cause.expected, most), "{told}");
        for scope in &cause.scopes {
            prop_assert!(within(scope.effect, unit * (scope.now + scope.usual)), "{told}");
        }
        prop_assert!(cause.effect.is_finite() && cause.share.is_finite(), "{told}");
    }
    let volumes = answer.causes.iter().filter(|cause| cause.stage == Stage::Injection).count();
    prop_assert!(volumes <= 1 || metric.stages.len() == 1);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_add_up_and_no_effect_is_larger_than_what_it_was_made_from_at_scale(
        (n_baseline, rows) in (1..8_usize)
            .prop_flat_map(|n| (Just(n), prop::collection::vec(row(n), 1..60))),
    ) {
        let counts = table(n_baseline, &rows);
        for metric in Metric::ALL {
            holds(&explain(metric, counts.clone()))?;
        }
    }

    #[test]
    fn of_one_leaf_an_effect_goes_the_way_of_its_rate_and_there_is_no_mix_at_scale(
        now in prop::collection::vec(1..2000_u16, 4),
        usual in prop::collection::vec(1..2000_u16, 4),
    ) {
        let row = |period: usize, n: &[u16]| {
            let (delivered, bounced, held, waiting) = (n[0], n[1], n[2], n[3]);
            let injected = delivered + bounced + held + waiting;
            let (aside, deferred, complained) = (0, held, 0);
            let leaf = [0, 0, 0, 0];
            let is_carried = false;
            Row { period, leaf, is_carried, injected, delivered, bounced, aside, held, deferred, complained, marked: 0, queue: [0; 3] }
        };
        let counts = table(1, &[row(0, &now), row(1, &usual)]);
        for metric in Metric::ALL {
            let answer = explain(metric, counts.clone());
            for step in &answer.steps {
                let told = format!("{} {step:?}", metric.name);
                match step.part {
                    Part::Mix => prop_assert!(step.effect.abs() < 1e-6, "{told}"),
                    Part::Stage(stage) if !stage.is_volume() && stage != Stage::Complaints => {
                        let change = step.now.1 / step.now.0 - step.usual.1 / step.usual.0;
                        // Of what a stage holds back, more is less of what passed it.
                        let counts_it = stage != Stage::Queue
                            && stage.output().iter().any(|kind| metric.counted.contains(kind));
                        let sign = if counts_it != metric.rest { 1.0 } else { -1.0 };
                        prop_assert!(change * sign * step.effect >= -1e-9, "{told}");
                    }
                    _ => {}
                }
            }
        }
    }
}
