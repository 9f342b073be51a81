//! `pmtaq ingest`: accounting files into the store, and the ledger that says what became of them.

use std::os::unix::fs::MetadataExt;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use pmtaq_ingest::{Effort, Header, HeaderFrom, Hook, Outcome, Settings, Status};
use pmtaq_query::{Answer, Values};
use pmtaq_render::Format;
use pmtaq_schema::Unit;
use pmtaq_schema::human::size;
use pmtaq_schema::time::Day;
use pmtaq_store::Writer;

use crate::args::{Global, Ingest};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::provider_tables::providers;
use crate::{privacy, show, ui};

/// What every other format than a table gets: the counts by name, in the order of the closing
/// lines.
type Ledger = Vec<(&'static str, u64)>;

#[expect(clippy::disallowed_methods, reason = "says how long it took")]
pub(crate) fn run(context: &Context, args: Ingest) -> Result<Exit> {
    let global = &context.global;
    let begun = Instant::now();
    let store = match context.new_store(args.faults.disk()) {
        Err(error) => return refused(context, error),
        Ok(store) => store,
    };
    let mut writer = match store.lock(&context.owner()) {
        Err(error) => return refused(context, error),
        Ok(writer) => writer,
    };
    writer.compare_clock(context.machine_time());
    let privacy = privacy::of_ingest(context, &mut writer, args.privacy)?;
    let settings = Settings {
        inputs: args.inputs,
        exclude: args.exclude,
        header: args.header.map(Header::Line).or(args.header_from.map(Header::Of)),
        time_field: args.time_field,
        separator: args.separator,
        scratch: pmtaq_store::layout::staging(&global.store),
        host: args.host,
        machine: context.machine.clone(),
        threads: context.threads,
        memory: context.memory_of_ingest(),
        providers: providers(context.places_of_store()?)?.0,
        privacy,
        now: context.now,
        hook: Hook::default(),
    };
    let progress = AtomicU64::new(0);
    let outcome = ui::with_progress(global, &progress, || {
        pmtaq_ingest::ingest(&settings, &mut writer, &progress)
    })?;
    print_notes(global, &outcome);
    let counts = ledger(&outcome);
    let seconds = begun.elapsed().as_secs_f64();
    match global.format {
        Format::Table => print_ledger(global, &counts, seconds),
        _ => show(context, &counts, seconds)?,
    }
    merge(&mut writer, &outcome.days, context.memory_of_ingest());
    Ok(exit_of(&outcome, args.max_rejects))
}

/// Under cron the run before may take longer than a run may wait: that is no trouble, unless it hangs.
const HANGS_S: i64 = 3600;

/// What a store that cannot be written to comes to.
fn refused(context: &Context, error: pmtaq_store::Error) -> Result<Exit> {
    let is_busy = matches!(error, pmtaq_store::Error::Locked { .. });
    // Who takes the lock writes its name into the file.
    let lock = std::fs::metadata(pmtaq_store::layout::lock(&context.global.store));
    let hangs = lock.is_ok_and(|lock| context.now.0 - lock.mtime() > HANGS_S);
    if is_busy && context.global.quiet && !hangs {
        // Nothing was taken, and who moves files away behind a run must know it.
        return Ok(Exit::Store);
    }
    Err(error.into())
}

/// Merges small parts: many small runs must not leave many of them. What was taken is safe by now, so
/// that nothing here fails the run.
fn merge(writer: &mut Writer<'_>, days: &[Day], memory: u64) {
    match pmtaq_ingest::compact(writer, days, Effort::Little, memory) {
        Ok(done) => done.damaged.iter().for_each(|damaged| {
            ui::complain(&format!("{damaged}; it is not merged, and `pmtaq verify` says more"));
        }),
        Err(error) => {
            ui::complain("the records are stored, but small parts could not be merged:");
            ui::complain(&Failure::from(error).text());
        }
    }
}

/// Refused lines, refused files, held-back lines: each is said, the first ones in full.
fn print_notes(global: &Global, outcome: &Outcome) {
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
        ui::note(
            global,
            &format!("... and {more} more; `pmtaq rejects` lists those that are kept"),
        );
    }
    for source in &outcome.sources {
        let path = source.path.display();
        if let Some(why) = &source.stopped {
            ui::complain(&format!("{path}: {why}"));
        }
        if source.held_back > 0 && source.stopped.is_none() {
            let bytes = source.held_back;
            ui::note(
                global,
                &format!(
                    "{path}: the last line ({bytes} bytes) has no line end yet and is left for the next run"
                ),
            );
        }
        if source.ledger.unkept > 0 {
            let unkept = source.ledger.unkept;
            ui::note(
                global,
                &format!(
                    "{path}: so many lines were refused that the last {unkept} are counted and not kept"
                ),
            );
        }
        if let (Some(name), Status::New) = (&source.differs_from, source.status) {
            ui::note(
                global,
                &format!(
                    "{path}: begins like {name}, which was ingested, and goes on otherwise: taken as \
                     another file, so what they share counts twice"
                ),
            );
        }
        if let Some(HeaderFrom::Before(name)) = &source.header_from {
            ui::note(
                global,
                &format!(
                    "{path}: has no header line: read with that of {name}, as it was ingested before"
                ),
            );
        }
        if source.restored > 0 {
            let restored = source.restored;
            ui::note(global, &format!("{path}: {restored} records that had been lost are back"));
        }
        if source.status == Status::Empty && source.held_back == 0 {
            ui::note(global, &format!("{path}: holds no record"));
        }
    }
    for (path, why) in &outcome.left {
        ui::note(global, &format!("{}: {why}; the next run takes it", path.display()));
    }
    for path in &outcome.empty {
        ui::note(global, &format!("{}: holds no file to take", path.display()));
    }
    let skipped = &outcome.skipped;
    if skipped.count > 0 {
        let (count, s) = (skipped.count, if skipped.count == 1 { "" } else { "s" });
        ui::note(
            global,
            &format!(
                "{count} file{s} skipped, by name or for not beginning as an accounting file: {skipped}; name a \
                 file itself to be told why"
            ),
        );
    }
    for refused in &outcome.refused {
        ui::complain(&format!("{}: {}", refused.path.display(), refused.reason));
    }
}

fn ledger(outcome: &Outcome) -> Ledger {
    let count = |status| outcome.sources.iter().filter(|s| s.status == status).count() as u64;
    vec![
        ("sources", (outcome.sources.len() + outcome.refused.len() + outcome.left.len()) as u64),
        ("new", count(Status::New)),
        ("grown", count(Status::Grown)),
        ("known", count(Status::Known)),
        ("empty", count(Status::Empty)),
        ("refused", outcome.refused.len() as u64),
        ("left", outcome.left.len() as u64),
        ("skipped", outcome.skipped.count),
        ("read", outcome.ledger.read),
        ("stored", outcome.ledger.stored),
        ("duplicate", outcome.ledger.duplicate),
        ("rejected", outcome.ledger.rejected),
        ("parts", outcome.parts),
        ("content_bytes", outcome.content_bytes),
        ("part_bytes", outcome.part_bytes),
    ]
}

/// The closing lines on stderr.
fn print_ledger(global: &Global, counts: &Ledger, seconds: f64) {
    let of = |name| counts.iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| *count);
    let nothing = if of("stored") + of("rejected") == 0 { "; nothing new" } else { "" };
    let statuses = ["new", "grown", "known", "empty", "refused"];
    let mut statuses = statuses.map(|name| format!("{} {name}", of(name))).join(", ");
    if of("left") > 0 {
        statuses += &format!(", {} left to the next run", of("left"));
    }
    ui::note(global, &format!("sources   {} ({statuses}){nothing}", of("sources")));
    let (read, stored) = (of("read"), of("stored"));
    let (duplicate, rejected) = (of("duplicate"), of("rejected"));
    ui::note(
        global,
        &format!(
            "records   {read} read = {stored} stored + {duplicate} duplicate + {rejected} rejected"
        ),
    );
    let (parts, content) = (size(of("part_bytes")), size(of("content_bytes")));
    ui::note(
        global,
        &format!(
            "written   {} parts, {parts} from {content} of content in {seconds:.2} s",
            of("parts")
        ),
    );
}

/// The ledger as one row on stdout.
fn show(context: &Context, counts: &Ledger, seconds: f64) -> Result<()> {
    let counts = counts.iter().map(|(name, count)| {
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        ((*name).to_owned(), Unit::Count.into(), Values::Ints(vec![Some(count)]))
    });
    let seconds = Values::Floats(vec![Some((seconds * 1000.0).round() / 1000.0)]);
    let seconds = ("seconds".to_owned(), Unit::Number.into(), seconds);
    show::whole(context, &Answer::of(counts.chain([seconds])))?;
    Ok(())
}

fn exit_of(outcome: &Outcome, max_rejects: u64) -> Exit {
    if !outcome.refused.is_empty() || outcome.sources.iter().any(|s| s.stopped.is_some()) {
        Exit::Failed
    } else if outcome.ledger.rejected > max_rejects {
        Exit::Rejects
    } else {
        Exit::Done
    }
}
