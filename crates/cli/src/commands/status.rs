//! `pmtaq status`: what the store holds, how far it is behind, and which files never came.

mod hosts;

use pmtaq_query::{Answer, Values};
use pmtaq_render::Format;
use pmtaq_schema::human::{self, duration};
use pmtaq_schema::size::parse_duration_s;
use pmtaq_schema::untrusted::visible;
use pmtaq_schema::{Timestamp, Unit, Window};
use pmtaq_store::SnapshotPart;
use pmtaq_store::layout::Table;

use crate::args;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::rotation::gaps;
use crate::{asked, output, show};

use hosts::Hosts;

/// Missing files that are said one by one.
const MAX_SAID: usize = 20;

pub(crate) fn run(context: &Context, args: &args::Status) -> Result<Exit> {
    let last = parse_duration_s(&args.last).ok_or_else(|| {
        Failure::usage(format!("`{}` is not a valid duration; write it like 30d", args.last))
    })?;
    let store = context.store()?;
    let (now, writer) = (context.now, store.writer()?);
    let snapshot = asked::snapshot(context, &store, Window::ALL)?;
    let recipients = store.recipients()?;
    let skipped = store.skipped()?;
    let window = Window { since: Timestamp(now.0.saturating_sub(last)), until: Window::ALL.until };
    // Who has sent nothing for long is one of the MTAs, too; and files of which nothing was stored are filed under 1970.
    let all = Window { since: Timestamp(0), until: Window::ALL.until };
    let sources = asked::sources(context, &store, if args.hosts { all } else { window })?;
    let hosts = Hosts::of(&sources, window);
    if args.hosts {
        show::whole(context, &hosts.with_records(context, &snapshot)?.answer(now))?;
        return Ok(Exit::Done);
    }
    let of = |table| snapshot.parts.iter().filter(move |part| part.part.table == table);
    let newest = snapshot.newest();
    let ingested = sources.iter().map(|(_, source)| source.ingested_at).max();
    let mut days: Vec<_> = of(Table::Records).map(|part| part.day).collect();
    days.sort();
    days.dedup();
    let gone = gaps(sources.iter().map(|(_, source)| source));
    if context.global.format == Format::Table {
        let mut lines = Vec::new();
        match (days.first(), days.last()) {
            (Some(first), Some(last)) => {
                lines.push(format!("days      {}, {first} to {last}", days.len()));
            }
            _ => lines.push("days      none: the store is empty".to_owned()),
        }
        for table in Table::ALL {
            let (rows, parts, bytes) = size(of(table));
            // A small store has no rollups of `hourly`.
            if table.tier().is_none() || parts > 0 {
                let name = table.to_string();
                lines.push(format!("{name:<9} {rows} rows, {parts} parts, {}", human::size(bytes)));
            }
        }
        lines.push(format!("privacy   recipients {recipients}"));
        lines.extend(writer.iter().map(|writer| format!("locked    by {writer}")));
        if let Some(at) = newest {
            lines.push(match now.0 - at.0 {
                lag if lag >= 0 => format!("newest    {at}, {} ago", duration(lag as f64)),
                _ => format!("newest    {at}, which is in the future: is a clock wrong?"),
            });
        }
        lines.push(match ingested {
            Some(at) => format!(
                "ingested  {} ({} ago) last; {} sources of the last {}",
                Timestamp(at),
                duration((now.0 - at) as f64),
                sources.len(),
                args.last
            ),
            None => format!("ingested  nothing that was logged in the last {}", args.last),
        });
        lines.extend(hosts.lines(now));
        if skipped.count > 0 {
            lines.push(format!(
                "skipped   {} by the last ingest of a folder, by name or beginning: {skipped}",
                skipped.count
            ));
        }
        lines.push(match gone.len() {
            0 if skipped.count > 0 => "missing   none, of those that were not skipped".to_owned(),
            0 => "missing   none, by the file names".to_owned(),
            count => format!("missing   {count} of the sequence of file names:"),
        });
        lines.extend(gone.iter().take(MAX_SAID).map(|name| format!("          {name}")));
        if gone.len() > MAX_SAID {
            lines.push(format!("          ... and {} more", gone.len() - MAX_SAID));
        }
        return output::answer(&context.global, |out| {
            for line in lines {
                writeln!(out, "{}", visible(&line))?;
            }
            Ok(Exit::Done)
        });
    }
    let number = |n: Option<i64>| (Unit::Count, Values::Ints(vec![n]));
    let int = |n: u64| number(Some(i64::try_from(n).unwrap_or(i64::MAX)));
    let text = |text: Option<String>| (Unit::Text, Values::Texts(vec![text]));
    let time = |time: Option<Timestamp>| (Unit::Time, Values::Times(vec![time]));
    let mut cells = vec![
        ("days".to_owned(), int(days.len() as u64)),
        ("first_day".to_owned(), text(days.first().map(ToString::to_string))),
        ("last_day".to_owned(), text(days.last().map(ToString::to_string))),
    ];
    for table in Table::ALL {
        let (rows, parts, bytes) = size(of(table));
        cells.push((format!("{table}_rows"), int(rows)));
        cells.push((format!("{table}_parts"), int(parts)));
        cells.push((format!("{table}_bytes"), int(bytes)));
    }
    cells.push(("recipients".to_owned(), text(Some(recipients.to_string()))));
    cells.push(("locked_by".to_owned(), text(writer)));
    cells.push(("newest".to_owned(), time(newest)));
    cells.push(("lag_seconds".to_owned(), number(newest.map(|newest| now.0 - newest.0))));
    cells.push(("last_ingest".to_owned(), time(ingested.map(Timestamp))));
    cells.push(("sources".to_owned(), int(sources.len() as u64)));
    cells.push(("skipped".to_owned(), int(skipped.count)));
    cells.push(("missing".to_owned(), int(gone.len() as u64)));
    cells.push(("missing_files".to_owned(), text(Some(gone.join(", ")))));
    let cells = cells.into_iter().map(|(name, (unit, values))| (name, unit.into(), values));
    show::whole(context, &Answer::of(cells))?;
    Ok(Exit::Done)
}

/// Rows, parts and bytes.
fn size<'p>(parts: impl Iterator<Item = &'p SnapshotPart>) -> (u64, u64, u64) {
    parts.fold((0, 0, 0), |(rows, count, bytes), part| {
        (rows + part.part.rows, count + 1, bytes + part.part.bytes)
    })
}
