//! What is found in counts whose cause is known, small and by hand.
#![allow(missing_docs, reason = "tests")]

use pmtaq_why::{Answer, Counts, Kind, Metric, Part, Reading, Stage, Verdict, explain};

const DIMS: [&str; 6] =
    ["provider", "sender_domain", "vmta_pool", "vmta", "dlv_source_ip", "job_id"];

/// Two receivers, two senders, two addresses; what is bounced of a thousand is told by leaf.
fn counts(bounced: impl Fn(usize, &[&str]) -> (u64, u64)) -> Counts {
    let mut counts = Counts::new(&DIMS, 7);
    for period in 0..8 {
        for provider in ["gmail", "yahoo"] {
            for sender in ["a.example", "b.example"] {
                for vmta in ["vmta-1", "vmta-2"] {
                    let leaf = [provider, sender, "pool", vmta, vmta];
                    let mut values: Vec<Option<&str>> = leaf.iter().copied().map(Some).collect();
                    values.push(None);
                    let (n, bounces) = bounced(period, &leaf);
                    counts.add(period, &values, Kind::Injected, None, n);
                    counts.add(period, &values, Kind::Delivered, None, n - bounces);
                    counts.add(period, &values, Kind::Bounced, Some("spam-related"), bounces);
                }
            }
        }
    }
    counts
}

fn metric(name: &str) -> &'static Metric {
    Metric::named(name).expect("a metric")
}

fn values(answer: &Answer) -> Vec<Vec<&str>> {
    let of = |cause: &'_ pmtaq_why::Cause| -> Vec<String> {
        cause.values.iter().map(|(_, value)| value.clone().unwrap_or_default()).collect()
    };
    let owned: Vec<Vec<String>> = answer.causes.iter().map(of).collect();
    owned
        .into_iter()
        .map(|values| values.into_iter().map(|v| &*Box::leak(v.into_boxed_str())).collect())
        .collect()
}

#[test]
fn categories_are_told_in_one_order_whatever_the_order_of_the_counts() {
    let told = |categories: [&str; 2]| {
        let mut counts = counts(|_, _| (1000, 10));
        let leaf = ["gmail", "a.example", "pool", "vmta-2", "vmta-2"].map(Some);
        let leaf = [&leaf[..], &[None]].concat();
        for category in categories {
            counts.add(0, &leaf, Kind::Bounced, Some(category), 300);
        }
        let answer = explain(metric("bounced"), counts.clone());
        answer.causes.iter().map(|cause| cause.categories.clone()).collect::<Vec<_>>()
    };
    let told_first = told(["policy-related", "content-related"]);
    assert!(told_first.iter().any(|categories| categories.len() == 2), "{told_first:?}");
    assert_eq!(told_first, told(["content-related", "policy-related"]));
}

#[test]
fn one_address_blocked_at_one_receiver_is_named_with_its_share() {
    let counts = counts(|period, leaf| match (period, leaf[0], leaf[3]) {
        (0, "gmail", "vmta-2") => (1000, 500),
        _ => (1000, 10),
    });
    let answer = explain(metric("delivered"), counts.clone());
    assert_eq!(answer.verdict, Verdict::Explained);
    assert_eq!(values(&answer), [["gmail", "vmta-2"]]);
    let cause = &answer.causes[0];
    assert_eq!((cause.stage, cause.reading), (Stage::Bounce, Reading::IpReputation));
    assert_eq!((cause.now, cause.usual), ((2000.0, 1000.0), (2000.0, 20.0)));
    assert_eq!((cause.effect, answer.now - answer.usual), (-980.0, -980.0));
    assert!((cause.share - 100.0).abs() < 1e-9 && answer.unexplained.abs() < 1e-9);
    // The address is that of the VirtualMTA: it follows, and is not named again.
    assert_eq!(cause.implied, [("dlv_source_ip".to_owned(), Some("vmta-2".to_owned()))]);
}

#[test]
fn a_pool_is_told_with_the_sender_of_nearly_all_of_its_mail() {
    let mut counts = Counts::new(&DIMS, 7);
    for period in 0..8 {
        for (pool, sender, n) in [
            ("p1", Some("a.example"), 1000),
            ("p1", None, 20),
            ("p2", Some("b.example"), 600),
            ("p2", Some("c.example"), 500),
        ] {
            let values = [Some("gmail"), sender, Some(pool), None, None, None];
            let bounces = if period == 0 && pool == "p1" { n / 2 } else { n / 100 };
            counts.add(period, &values, Kind::Delivered, None, n - bounces);
            counts.add(period, &values, Kind::Bounced, Some("spam-related"), bounces);
        }
    }
    let answer = explain(metric("bounce_rate"), counts.clone());
    let cause = &answer.causes[0];
    assert_eq!(cause.values, [("vmta_pool".to_owned(), Some("p1".to_owned()))]);
    assert_eq!(cause.implied, [("sender_domain".to_owned(), Some("a.example".to_owned()))]);
}

#[test]
fn fewer_messages_are_no_trouble_at_the_receivers() {
    let counts = counts(|period, leaf| match (period, leaf[1]) {
        (0, "a.example") => (200, 2),
        _ => (1000, 10),
    });
    let answer = explain(metric("delivered"), counts.clone());
    assert_eq!(values(&answer), [["a.example"]]);
    assert_eq!(answer.causes[0].reading, Reading::Injection);
    assert!((answer.steps[0].effect - (answer.now - answer.usual)).abs() < 5.0);
}

#[test]
fn a_rate_that_changed_by_the_mix_alone_has_no_cause() {
    // Yahoo bounces ten times as much, as ever; now it gets five times as much.
    let counts = counts(|period, leaf| match (period, leaf[0]) {
        (0, "yahoo") => (5000, 500),
        (_, "yahoo") => (1000, 100),
        _ => (1000, 10),
    });
    let answer = explain(metric("bounce_rate"), counts.clone());
    assert!(answer.causes.is_empty() && answer.now > answer.usual + 2.0);
    let mix = answer.steps.iter().find(|step| step.part == Part::Mix).expect("a mix");
    assert!((mix.effect - (answer.now - answer.usual)).abs() < 0.1, "{mix:?}");
    assert_eq!(answer.mix[0].value.as_deref(), Some("yahoo"));
    assert!((answer.mix[0].rate - 10.0).abs() < 1e-9 && answer.mix[0].usual == 50.0);
}

#[test]
fn the_same_numbers_as_ever_are_quiet_and_too_few_are_no_answer() {
    let quiet = explain(metric("delivered"), counts(|_, _| (1000, 10)));
    assert_eq!((quiet.verdict, quiet.causes.len()), (Verdict::Quiet, 0));
    let few = explain(metric("bounce_rate"), counts(|_, _| (2, 1)));
    assert_eq!(few.verdict, Verdict::TooLittle);
    let alone = explain(metric("delivered"), Counts::new(&DIMS, 0));
    assert_eq!(alone.verdict, Verdict::TooLittle);
}

#[test]
fn jobs_that_are_named_anew_every_day_are_no_cause() {
    let mut counts = Counts::new(&DIMS, 7);
    for period in 0..8 {
        let job = format!("job-of-day-{period}");
        let values = ["gmail", "a.example", "pool", "vmta", "ip", &job].map(Some);
        counts.add(period, &values, Kind::Injected, None, 1000);
        counts.add(period, &values, Kind::Delivered, None, 990);
        counts.add(period, &values, Kind::Bounced, Some("bad-mailbox"), 10);
        // What is left of yesterday's job.
        let old = format!("job-of-day-{}", period + 1);
        let values = ["gmail", "a.example", "pool", "vmta", "ip", &old].map(Some);
        counts.add(period, &values, Kind::Held, Some("quota-issues"), 5);
    }
    for name in ["delivered", "injected", "bounced", "bounce_rate"] {
        let answer = explain(metric(name), counts.clone());
        assert_eq!(answer.verdict, Verdict::Quiet, "{name}: {:?}", answer.causes);
    }
}

#[test]
fn of_values_that_cannot_be_told_apart_the_replies_name_one() {
    // Each sender has a pool of its own.
    let mut counts = Counts::new(&DIMS, 7);
    for period in 0..8 {
        for provider in ["gmail", "yahoo"] {
            for (sender, pool) in [("a.example", "pool-a"), ("b.example", "pool-b")] {
                let values = [provider, sender, pool].map(Some);
                let values = [&values[..], &[None, None, None]].concat();
                let is_hit = period == 0 && provider == "gmail" && sender == "a.example";
                let bounced = if is_hit { 400 } else { 10 };
                counts.add(period, &values, Kind::Delivered, None, 1000 - bounced);
                counts.add(period, &values, Kind::Bounced, Some("other"), bounced);
                // A report of a delivery has no sender, and its pool is that of the others.
                let without =
                    [&[Some(provider), None, Some(pool)][..], &[None, None, None]].concat();
                counts.add(period, &without, Kind::Delivered, None, 2);
            }
        }
    }
    let answer = explain(metric("bounce_rate"), counts.clone());
    assert_eq!(answer.causes.len(), 1);
    for (fault, named, other, reading) in [
        ("ip", "vmta_pool", "sender_domain", Reading::IpReputation),
        ("sender", "sender_domain", "vmta_pool", Reading::SenderDomain),
    ] {
        let mut cause = answer.causes[0].clone();
        cause.read_by(Some(fault), &[]);
        let has =
            |pairs: &[(String, Option<String>)], dim| pairs.iter().any(|(name, _)| name == dim);
        assert!(has(&cause.values, named) && !has(&cause.values, other), "{fault}: {cause:?}");
        assert!(!has(&cause.implied, named), "{fault}: {cause:?}");
        assert_eq!(cause.reading, reading);
    }
}

#[test]
fn a_campaign_whose_first_virtual_mta_is_written_with_all_of_it_waits_nowhere() {
    let mut counts = Counts::new(&DIMS, 7);
    for period in 0..8 {
        // One sender has a pool of one; of the other, which hardly ever sends, `r` records name the
        // first VirtualMTA of three, whichever it will use.
        let mut add = |sender: &str, vmta: &str, kind, n: u64| {
            let values = [Some("gmail"), Some(sender), Some("pool"), Some(vmta), None, None];
            counts.add(period, &values, kind, None, n);
        };
        add("a.example", "vmta-0", Kind::Injected, 10_000);
        add("a.example", "vmta-0", Kind::Delivered, 9_900);
        if period == 0 {
            add("b.example", "vmta-1", Kind::Injected, 9_000);
            for vmta in ["vmta-1", "vmta-2", "vmta-3"] {
                add("b.example", vmta, Kind::Delivered, 2_970);
            }
        }
    }
    let answer = explain(metric("delivered"), counts.clone());
    let stages: Vec<Stage> = answer.causes.iter().map(|cause| cause.stage).collect();
    assert_eq!(stages, [Stage::Injection], "{:?}", answer.causes);
}

#[test]
fn a_senders_first_job_is_a_cause_only_far_beyond_what_jobs_differ_by() {
    // Each day another sender has a list of its own, of which 1, 2, 4 or 8 % bounce; now `today` %.
    let asked = |today: u64| {
        let mut counts = Counts::new(&DIMS, 7);
        for period in 0..8_u32 {
            let percent = if period == 0 { today } else { 1 << (period % 4) };
            let mut add = |sender: &str, job: &str, n: u64, bounced: u64| {
                let values = ["gmail", sender, "pool", "vmta", "ip", job].map(Some);
                counts.add(period as usize, &values, Kind::Delivered, None, n - bounced);
                counts.add(period as usize, &values, Kind::Bounced, Some("bad-mailbox"), bounced);
            };
            let sender = format!("s{period}.example");
            add(&sender, &format!("job-{period}"), 5_000, 50 * percent);
            add("daily.example", "daily", 5_000, 125);
        }
        explain(metric("bounce_rate"), counts.clone())
    };
    assert!(asked(10).causes.is_empty(), "{:?}", asked(10).causes);
    assert_eq!(values(&asked(50)), [["s0.example"]]);
}
