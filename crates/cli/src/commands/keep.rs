//! The commands that look after a store: `verify`, `prune`, `forget`.

use std::collections::BTreeMap;

use pmtaq_schema::address::Mention;
use pmtaq_schema::human;
use pmtaq_schema::size::parse_duration_s;
use pmtaq_schema::time::Day;
use pmtaq_store::layout::{self, Table};
use pmtaq_store::{Part, Recipients};

use crate::args::{Forget, Prune, Verify};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::{privacy, ui};

/// Problems that are said one by one.
const MAX_SAID: usize = 50;

/// How often a repair looks again for what is left to be repaired.
const ROUNDS: usize = 3;

pub(crate) fn verify(context: &Context, args: &Verify) -> Result<Exit> {
    let store = context.store_afresh()?.with_disk(args.faults.disk());
    let memory = context.memory_of_ingest();
    if args.repair {
        store.repair_root(&context.owner())?.iter().for_each(|done| ui::complain(done));
    }
    let mut verified = pmtaq_ingest::verify(&store, memory, |_| {})?;
    if args.repair && !verified.problems.is_empty() {
        say_problems(&verified.problems);
        let mut writer = store.lock(&context.owner())?;
        // What was hidden by one damage may come to light when that is repaired.
        for _ in 0..ROUNDS {
            let (told, is_changed) = pmtaq_ingest::repair(&mut writer, &verified, memory)?;
            told.iter().for_each(|line| ui::complain(line));
            if !is_changed {
                break;
            }
            verified = pmtaq_ingest::verify(&store, memory, |_| {})?;
        }
    }
    store.drop_fetched()?;
    if verified.is_cut_short {
        ui::note(
            &context.global,
            "the last commit was cut short; the next run that writes ends it",
        );
    }
    let (parts, records, sources) = (verified.parts, verified.records, verified.sources);
    let read = format!("{records} records in {parts} parts, of {sources} sources");
    if verified.unsummed > 0 {
        let text = format!("{} parts are of an older version: without checksum", verified.unsummed);
        ui::note(&context.global, &text);
    }
    if verified.problems.is_empty() {
        ui::note(&context.global, &format!("sound: {read}"));
        return Ok(Exit::Done);
    }
    say_problems(&verified.problems);
    let left = verified.problems.len();
    let hint =
        if args.repair { "" } else { "; `pmtaq verify --repair` has back what can be had back" };
    ui::complain(&format!("{left} problems left: {read}{hint}"));
    Ok(Exit::Failed)
}

fn say_problems(problems: &[String]) {
    problems.iter().take(MAX_SAID).for_each(|problem| ui::complain(problem));
    let more = problems.len().saturating_sub(MAX_SAID);
    if more > 0 {
        ui::complain(&format!("... and {more} more"));
    }
}

pub(crate) fn prune(context: &Context, args: &Prune) -> Result<Exit> {
    let keep = args.keep.iter().map(|text| keep(text)).collect::<Result<Vec<_>>>()?;
    let kept =
        |of| keep.iter().filter(|(table, _)| *table == of).map(|(_, seconds)| *seconds).min();
    if let Some(hourly) = kept(Table::Hourly)
        && kept(Table::Records).is_none_or(|records| hourly < records)
    {
        return Err(Failure::usage("hourly is to be kept as long as the records that it counts")
            .hint("reports read it for their days, as in --keep records=90d,hourly=3y"));
    }
    let store = context.store()?.with_disk(args.faults.disk());
    let mut writer = store.lock(&context.owner())?;
    let expired = pmtaq_ingest::expired(&writer, &keep, context.now)?;
    if expired.is_empty() {
        ui::note(&context.global, "nothing is old enough");
        return Ok(Exit::Done);
    }
    for line in part_lines(&expired) {
        ui::note(&context.global, &line);
    }
    if args.dry_run {
        ui::note(&context.global, "nothing was removed: --dry-run");
        return Ok(Exit::Done);
    }
    ui::confirm("Remove them for good?", args.yes)?;
    let mut expired = expired;
    while !expired.is_empty() {
        match pmtaq_ingest::prune(&mut writer, expired) {
            // Another machine has merged some of them: what is as old goes, as it is now.
            Err(pmtaq_store::Error::Conflict { .. }) => writer.renew()?,
            other => {
                other?;
                break;
            }
        }
        expired = pmtaq_ingest::expired(&writer, &keep, context.now)?;
    }
    ui::note(&context.global, "removed");
    Ok(Exit::Done)
}

pub(crate) fn forget(context: &Context, args: &Forget) -> Result<Exit> {
    let address = Mention::of(&args.rcpt).ok_or_else(|| {
        Failure::usage(format!(
            "--rcpt `{}` is not an address with a local part and a domain",
            args.rcpt
        ))
    })?;
    let store = context.store()?;
    if store.recipients()? == Recipients::Masked {
        return Err(Failure::usage(
            "masked recipients cannot be told apart, so none can be erased",
        )
        .hint("the store has no whole address; `pmtaq prune` removes by age"));
    }
    let stored = privacy::of_store(context, &store)?.stored_form(&args.rcpt);
    let address = Mention::of(&stored).unwrap_or(address);
    let mut writer = store.lock(&context.owner())?;
    if !args.dry_run {
        ui::confirm(&format!("Erase {} for good?", args.rcpt), args.yes)?;
    }
    let done =
        pmtaq_ingest::forget(&mut writer, &address, args.dry_run, context.memory_of_ingest())?;
    let (records, rejects, mentions) = (done.records, done.rejects, done.mentions);
    let verb = if args.dry_run { "would be erased" } else { "erased" };
    ui::note(
        &context.global,
        &format!(
            "{verb}: {records} records, {rejects} refused lines, mentions in {mentions} other \
             records; {} parts written anew",
            if args.dry_run { 0 } else { done.parts }
        ),
    );
    let set_aside = store.set_aside()?;
    if set_aside > 0 {
        let dir = layout::quarantine(&context.global.store);
        ui::complain(&format!(
            "{set_aside} damaged parts in {} may have the address too: delete them once their files were \
             ingested again, and erase what these bring back",
            dir.display()
        ));
    }
    Ok(Exit::Done)
}

/// Reads `records=90d`.
fn keep(text: &str) -> Result<pmtaq_ingest::Keep> {
    let wrong = || {
        Failure::usage(format!(
            "--keep `{text}`: write a table and how long to keep it, such as records=90d or \
             hourly=3y; the tables are records, hourly and rejects"
        ))
    };
    let (name, duration) = text.split_once('=').ok_or_else(wrong)?;
    let table = Table::ALL.into_iter().find(|table| table.to_string() == name.trim());
    let seconds = parse_duration_s(duration).filter(|seconds| *seconds > 0);
    Ok((table.ok_or_else(wrong)?, seconds.ok_or_else(wrong)?))
}

/// A line a table: what would go.
fn part_lines(parts: &[(Day, Part)]) -> Vec<String> {
    let mut tables: BTreeMap<Table, Vec<&(Day, Part)>> = BTreeMap::new();
    for part in parts {
        tables.entry(part.1.table).or_default().push(part);
    }
    let told = tables.into_iter().map(|(table, parts)| {
        let rows: u64 = parts.iter().map(|(_, part)| part.rows).sum();
        let bytes: u64 = parts.iter().map(|(_, part)| part.bytes).sum();
        let days = parts.iter().map(|(day, _)| *day);
        let (first, last) = (days.clone().min(), days.max());
        let span = first.zip(last).map(|(a, b)| format!("{a} to {b}")).unwrap_or_default();
        let bytes = human::size(bytes);
        format!("{table}: {rows} rows of {span}, {} parts, {bytes}", parts.len())
    });
    told.collect()
}
