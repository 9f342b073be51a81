//! How well `pmtaq why` names planted causes, against sorting a pivot and Adtributor:
//! `cargo run --release -p pmtaq-why --example evaluate-why -- [WINDOWS] [SEED] [--misses]`.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    reason = "a bench that prints a table"
)]

mod chance;
mod incident;
mod rivals;
mod score;
mod world;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<u64> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    let windows = numbers.first().copied().unwrap_or(400) as u32;
    let seed = numbers.get(1).copied().unwrap_or(20_260_301);
    let outcome = score::evaluate(seed, windows);
    if args.iter().any(|arg| arg == "--misses") {
        outcome.misses.iter().for_each(|miss| println!("{miss}"));
    }
    println!("{windows} windows with 1 or 2 causes, and as many without; seed {seed}\n");
    println!("{:<44} {:>9} {:>7} {:>6}", "method", "precision", "recall", "exact");
    for (name, tally) in [
        ("pmtaq why", outcome.ours),
        ("pivots by one dimension, sorted", outcome.pivot),
        ("pivot by the planted dimensions, sorted", outcome.pivot_told),
        ("Adtributor", outcome.adtributor),
    ] {
        let exact = f64::from(tally.exact) / f64::from(tally.windows.max(1));
        println!("{name:<44} {:>9.3} {:>7.3} {exact:>6.3}", tally.precision(), tally.recall());
    }
    println!("\n{:<44} {:>9} {:>7}", "recall of pmtaq why by", "planted", "recall");
    for (bucket, planted, found) in &outcome.buckets {
        println!("{bucket:<44} {planted:>9} {:>7.3}", f64::from(*found) / f64::from(*planted));
    }
    let (alarms, quiet) = (outcome.alarms, outcome.quiet);
    let share = 100.0 * f64::from(alarms) / f64::from(quiet.max(1));
    println!("\nfalse alarms on quiet windows: {alarms} of {quiet}, {share:.1} %");
}
