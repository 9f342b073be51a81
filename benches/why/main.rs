//! How well `pmtaq why` names planted causes in three worlds, beside pivots, Adtributor and
//! RiskLoc: `cargo run --release -p pmtaq-why --example evaluate-why -- [WORLD...] [--windows N]
//! [--seed N] [--window N] [--misses]`. Judges nothing itself.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stderr,
    reason = "a bench that prints a table"
)]

mod chance;
mod days;
mod incident;
mod judge;
mod riskloc;
mod rivals;
mod said;
mod score;
mod tally;
mod told;
mod traffic;
mod window;
mod world;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use tally::{METHODS, Outcome, Score, share};
use world::Shape;

/// The seed that no parameter is chosen with.
const HELD_OUT: u64 = 2;

/// What is to be run.
struct Wanted {
    shapes: Vec<Shape>,
    seed: u64,
    n_windows: u32,
    /// One window only.
    window: Option<u32>,
    has_misses: bool,
}

fn main() -> ExitCode {
    let wanted = match wanted(std::env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(problem) => {
            eprintln!("{problem}; see benches/why/README.md");
            return ExitCode::from(2);
        }
    };
    for shape in &wanted.shapes {
        let outcome = match wanted.window {
            Some(window) => score::evaluate_one(*shape, wanted.seed, window),
            None => score::evaluate(*shape, wanted.seed, wanted.n_windows),
        };
        let mut text = String::new();
        if wanted.has_misses || wanted.window.is_some() {
            outcome.misses.iter().for_each(|(_, miss)| text.extend([miss, "\n"]));
        }
        if wanted.window.is_none() {
            table(&mut text, *shape, &wanted, &outcome);
        }
        // Who reads no further has what they wanted.
        if std::io::stdout().write_all(text.as_bytes()).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn wanted(mut args: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted =
        Wanted { shapes: vec![], seed: HELD_OUT, n_windows: 300, window: None, has_misses: false };
    while let Some(arg) = args.next() {
        let mut number = || {
            let value = args.next().unwrap_or_default();
            value.parse::<u32>().map_err(|_| format!("{arg} takes a number, not `{value}`"))
        };
        match arg.as_str() {
            "--seed" => wanted.seed = number()?.into(),
            "--windows" => wanted.n_windows = number()?,
            "--window" => wanted.window = Some(number()?),
            "--misses" => wanted.has_misses = true,
            name => {
                let shape = Shape::ALL.into_iter().find(|shape| shape.name() == name);
                wanted.shapes.push(shape.ok_or(format!("no world `{name}`"))?);
            }
        }
    }
    if wanted.shapes.is_empty() {
        wanted.shapes = Shape::ALL.to_vec();
    }
    Ok(wanted)
}

fn table(text: &mut String, shape: Shape, wanted: &Wanted, outcome: &Outcome) {
    let (name, seed, windows) = (shape.name(), wanted.seed, wanted.n_windows);
    let _ = writeln!(
        text,
        "{name}: {windows} windows with 1 or 2 causes, and as many without; seed {seed}"
    );
    for (about, score) in [("rates", &outcome.rates), ("counts", &outcome.counts)] {
        let head = ["precision", "recall", "exact", "asked"].map(|word| format!("{word:>9}"));
        let _ = writeln!(text, "\n{about:<40} {}", head.concat());
        for (method, tally) in METHODS.iter().zip(&score.methods) {
            let shares = [tally.precision(), tally.recall(), tally.exactness()];
            let shares = shares.map(|share| format!("{share:>9.3}"));
            let _ = writeln!(text, "{method:<40} {}{:>9}", shares.concat(), tally.windows);
        }
        told_of(text, score);
    }
    text.push('\n');
}

fn told_of(text: &mut String, score: &Score) {
    for (what, part, whole) in [
        ("quiet windows with a false cause", score.alarms, score.quiet),
        ("quiet windows unusual without a cause", score.unusual, score.quiet),
        ("effects within a fifth of the planted", score.near, score.effects),
    ] {
        let percent = 100.0 * share(part, whole);
        let _ = writeln!(text, "{what:<40} {percent:>8.1} % ({part} of {whole})");
    }
    let _ = writeln!(text, "{:<40} {:>8}", "effects beyond what entered", score.loose);
    let seconds = &score.seconds;
    let mean = seconds.iter().sum::<f64>() / seconds.len().max(1) as f64;
    let most = seconds.iter().fold(0.0_f64, |most, second| most.max(*second));
    let _ =
        writeln!(text, "{:<40} {mean:>8.3} s on the mean, {most:.3} s at most", "an answer takes");
    for (bucket, planted, found) in &score.buckets {
        let recall = share(*found, *planted);
        let _ = writeln!(text, "  recall {bucket:<31} {recall:>8.3} ({found} of {planted})");
    }
}
