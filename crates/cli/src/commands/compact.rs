//! `pmtaq compact`: the small parts of a day as few. Ingest does a little of it by itself.

use pmtaq_ingest::{Compacted, Effort};
use pmtaq_schema::human::size;
use pmtaq_schema::time::Day;
use pmtaq_schema::{Timestamp, Zone};
use pmtaq_store::Turn;

use crate::args::Compact;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::ui;
use crate::window::window;

/// How long a day of records takes at most, in seconds: after a kill another machine waits so long.
const TURN_S: i64 = 1800;

pub(crate) fn run(context: &Context, args: &Compact) -> Result<Exit> {
    let store = context.store()?.with_disk(args.faults.disk());
    let mut turn = match store.take_turn("compact", &context.machine, TURN_S)? {
        Turn::Mine(turn) => turn,
        Turn::Of { holder, until } => {
            let until = Timestamp(until);
            let text = format!(
                "{holder} compacts this store, until {until} at least; nothing is to be done"
            );
            ui::note(&context.global, &text);
            return Ok(Exit::Done);
        }
    };
    let mut writer = store.lock(&context.owner())?;
    let stored = writer.days();
    let days = if args.day.is_empty() {
        // Today still gets rows, and what is merged now would be merged again.
        stored.into_iter().filter(|day| *day < context.now.day()).collect()
    } else {
        let days = args.day.iter().map(|text| day(text, context.now));
        let days = days.collect::<Result<Vec<Day>>>()?;
        if let Some(none) = days.iter().find(|day| !stored.contains(day)) {
            return Err(Failure::usage(format!("the store has nothing of {none}")));
        }
        days
    };
    let (mut done, memory) = (Compacted::default(), context.memory_of_ingest());
    let (clock, mut prolonged) = (context.clock(), context.now.0);
    for day in days {
        if clock.now().0 - prolonged > TURN_S / 3 {
            turn.prolong(TURN_S)?;
            prolonged = clock.now().0;
        }
        done.add(pmtaq_ingest::compact(&mut writer, &[day], Effort::Whole, memory)?);
    }
    turn.end()?;
    let text = match (done.before, done.rollups) {
        (0, 0) => "nothing to compact".to_owned(),
        (0, 1) => "1 rollup by day made; nothing else to compact".to_owned(),
        (0, made) => format!("{made} rollups by day made; nothing else to compact"),
        _ => format!(
            "{} parts ({}) became {} ({}); {} records, as before",
            done.before,
            size(done.bytes_before),
            done.after,
            size(done.bytes_after),
            done.records
        ),
    };
    ui::note(&context.global, &text);
    for damaged in &done.damaged {
        ui::complain(&format!("{damaged}; it is left as it is, and `pmtaq verify` says more"));
    }
    Ok(if done.damaged.is_empty() { Exit::Done } else { Exit::Failed })
}

/// A UTC day as people name it.
fn day(text: &str, now: Timestamp) -> Result<Day> {
    let window = window(Some(text), None, None, Zone::UTC, now).map_err(Failure::usage)?;
    Ok(window.since.day())
}
