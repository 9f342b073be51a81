//! The short form of benches/why: a few of its windows, so that it cannot rot, and what must hold
//! of any counts. Reads no records.
#![allow(missing_docs, unreachable_pub, dead_code, reason = "the modules are those of a bench")]

#[path = "../../../benches/why/chance.rs"]
mod chance;
#[path = "../../../benches/why/days.rs"]
mod days;
#[path = "../../../benches/why/incident.rs"]
mod incident;
#[path = "../../../benches/why/judge.rs"]
mod judge;
#[path = "../../../benches/why/riskloc.rs"]
mod riskloc;
#[path = "../../../benches/why/rivals.rs"]
mod rivals;
#[path = "../../../benches/why/said.rs"]
mod said;
#[path = "../../../benches/why/score.rs"]
mod score;
#[path = "../../../benches/why/tally.rs"]
mod tally;
#[path = "../../../benches/why/told.rs"]
mod told;
#[path = "../../../benches/why/traffic.rs"]
mod traffic;
#[path = "../../../benches/why/window.rs"]
mod window;
#[path = "../../../benches/why/world.rs"]
mod world;

use pmtaq_why::{Metric, explain};
use traffic::Sums;
use window::{Question, Window};
use world::Shape;

#[test]
fn the_parts_of_a_change_add_up_to_it_at_scale() {
    for shape in [Shape::Steady, Shape::Campaigns] {
        let window = Window::new(shape, 5, 0, 0, 2);
        for (question, metrics) in [
            (Question::Delivered, &["injected", "delivered", "sent", "bounced", "bounce_rate"]),
            (Question::Deferred, &["deferred", "deferral_rate", "bounce_rate", "accepted", "hard"]),
        ] {
            let counts = window.counts(question);
            for metric in metrics.map(|name| Metric::named(name).expect("a metric")) {
                let answer = explain(metric, counts.clone());
                let parts: f64 = answer.steps.iter().map(|step| step.effect).sum();
                let change = answer.now - answer.usual;
                assert!((parts - change).abs() < 1e-6, "{}: {parts} {change}", metric.name);
            }
        }
    }
}

#[test]
fn what_was_planted_is_the_difference_that_it_made_to_the_records() {
    for shape in Shape::ALL {
        for number in 0..6 {
            let window = Window::new(shape, 5, number, 0, 2);
            assert!(!window.planted.is_empty(), "{} {number}", shape.name());
            let before = Sums::of(window.before.iter());
            let planted = window.planted.iter().fold(before, |all, p| all.plus(p.done, 1.0));
            assert_eq!(planted, Sums::of(window.periods[0].iter()), "{} {number}", shape.name());
        }
    }
}

#[test]
fn more_planted_causes_are_named_in_a_steady_world_than_by_its_rivals_at_scale() {
    let outcome = score::evaluate(Shape::Steady, 77, 12);
    let told: Vec<&str> = outcome.misses.iter().map(|(_, miss)| miss.as_str()).collect();
    let told = told.join("\n");
    let [ours, pivot, _, adtributor, riskloc] = outcome.rates.methods;
    assert!(ours.precision() >= 0.85 && ours.recall() >= 0.9, "{told}");
    // Windows that are easy for everybody would prove nothing.
    for rival in [pivot, adtributor, riskloc] {
        assert!(rival.recall() < 0.7 && rival.precision() < 0.7);
    }
}

#[test]
fn causes_are_found_where_other_jobs_go_out_every_day_at_scale() {
    for (shape, n_windows) in [(Shape::Campaigns, 12), (Shape::Esp, 4)] {
        let outcome = score::evaluate(shape, 77, n_windows);
        let told: Vec<&str> = outcome.misses.iter().map(|(_, miss)| miss.as_str()).collect();
        let ours = outcome.rates.methods[0];
        assert!(ours.planted > 0 && ours.recall() >= 0.8, "{}", told.join("\n"));
        assert_eq!((outcome.rates.quiet, outcome.counts.quiet), (n_windows, n_windows));
    }
}
