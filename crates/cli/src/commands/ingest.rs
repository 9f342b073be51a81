//! `pmtaq ingest`: accounting files into the store, and the ledger that says what became of them.

use std::io::Write as _;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use pmtaq_ingest::{Outcome, Settings, Status};
use pmtaq_render::Format;
use pmtaq_schema::provider::Providers;
use pmtaq_schema::size::show_bytes;
use pmtaq_store::{Disk, Fault, Store};
use serde::Serialize;

use crate::args::{Global, Ingest};
use crate::exit::Exit;
use crate::failure::Result;
use crate::run::Context;
use crate::ui;

/// The ledger of a run, as `--format json` prints it.
#[derive(Serialize)]
struct LedgerLine {
    sources: usize,
    new: usize,
    grown: usize,
    known: usize,
    empty: usize,
    refused: usize,
    read: u64,
    stored: u64,
    duplicate: u64,
    rejected: u64,
    parts: u64,
    content_bytes: u64,
    part_bytes: u64,
    seconds: f64,
}

pub(crate) fn run(context: &Context, args: Ingest) -> Result<Exit> {
    let global = &context.global;
    let begun = Instant::now();
    let fault = args.kill_at.map(Fault::KillAt).or(args.full_at.map(Fault::FullAt));
    let store = Store::create(&global.store, fault.map(Disk::failing).unwrap_or_default())?;
    let mut writer = store.lock(&context.owner())?;
    let settings = Settings {
        inputs: args.inputs,
        host: args.host,
        machine: context.machine.clone(),
        threads: context.threads,
        providers: Providers::builtin(),
        now: context.now,
    };
    let progress = AtomicU64::new(0);
    let outcome = ui::with_progress(global, &progress, || {
        pmtaq_ingest::ingest(&settings, &mut writer, &progress)
    })?;
    tell(global, &outcome);
    let line = ledger(&outcome, begun.elapsed().as_secs_f64());
    show(global, &line)?;
    Ok(judge(&outcome, args.max_rejects))
}

/// Refused lines, refused files, held-back lines: each is said, the first ones in full.
fn tell(global: &Global, outcome: &Outcome) {
    for (path, reject) in &outcome.rejects {
        let what = match (&reject.why.field, &reject.why.value) {
            (Some(field), Some(value)) => format!("{field} `{value}`: "),
            _ => String::new(),
        };
        let (path, line, offset) = (path.display(), reject.line, reject.offset);
        let reason = reject.why.reason;
        ui::note(global, &format!("{path}:{line} (byte {offset}): {what}{reason}"));
    }
    let more = outcome.ledger.rejected.saturating_sub(outcome.rejects.len() as u64);
    let new_rejects: u64 = outcome
        .sources
        .iter()
        .filter(|source| source.status != Status::Known)
        .map(|source| source.ledger.rejected)
        .sum();
    if more > 0 && new_rejects > outcome.rejects.len() as u64 {
        ui::note(global, &format!("... and {more} more; `pmtaq rejects` lists all of them"));
    }
    for source in &outcome.sources {
        let path = source.path.display();
        if let Some(why) = &source.stopped {
            ui::complain(&format!("{path}: {why}"));
        }
        if source.held_back > 0 {
            let bytes = source.held_back;
            ui::note(
                global,
                &format!("{path}: the last line ({bytes} bytes) has no line end yet and is left for the next run"),
            );
        }
        if source.status == Status::Empty && source.held_back == 0 {
            ui::note(global, &format!("{path}: holds no record"));
        }
    }
    for refused in &outcome.refused {
        ui::complain(&format!("{}: {}", refused.path.display(), refused.reason));
    }
}

fn ledger(outcome: &Outcome, seconds: f64) -> LedgerLine {
    let count = |status| outcome.sources.iter().filter(|s| s.status == status).count();
    LedgerLine {
        sources: outcome.sources.len() + outcome.refused.len(),
        new: count(Status::New),
        grown: count(Status::Grown),
        known: count(Status::Known),
        empty: count(Status::Empty),
        refused: outcome.refused.len(),
        read: outcome.ledger.read,
        stored: outcome.ledger.stored,
        duplicate: outcome.ledger.duplicate,
        rejected: outcome.ledger.rejected,
        parts: outcome.parts,
        content_bytes: outcome.content_bytes,
        part_bytes: outcome.part_bytes,
        seconds: (seconds * 1000.0).round() / 1000.0,
    }
}

fn show(global: &Global, line: &LedgerLine) -> Result<()> {
    if matches!(global.format, Format::Json | Format::Jsonl) {
        let mut out = ui::output(global)?;
        serde_json::to_writer(&mut out, line).map_err(std::io::Error::from)?;
        writeln!(out)?;
        out.flush()?;
        return Ok(());
    }
    let LedgerLine { sources, new, grown, known, read, stored, duplicate, rejected, .. } = line;
    let nothing = if *stored == 0 && *rejected == 0 { "; nothing new" } else { "" };
    ui::note(global, &format!("sources   {sources} ({new} new, {grown} grown, {known} known, {} empty, {} refused){nothing}", line.empty, line.refused));
    ui::note(global, &format!("records   {read} read = {stored} stored + {duplicate} duplicate + {rejected} rejected"));
    ui::note(
        global,
        &format!(
            "written   {} parts, {} from {} of content in {:.2} s",
            line.parts,
            show_bytes(line.part_bytes),
            show_bytes(line.content_bytes),
            line.seconds
        ),
    );
    Ok(())
}

fn judge(outcome: &Outcome, max_rejects: u64) -> Exit {
    if !outcome.refused.is_empty() || outcome.sources.iter().any(|s| s.stopped.is_some()) {
        Exit::Failed
    } else if outcome.ledger.rejected > max_rejects {
        Exit::Rejects
    } else {
        Exit::Done
    }
}
