//! `pmtaq paths`: the files that hold a table's rows of a window, for other tools.

use pmtaq_query::{Answer, Values};
use pmtaq_render::Format;
use pmtaq_schema::{Timestamp, Unit, Window};
use pmtaq_store::SnapshotPart;
use pmtaq_store::layout::Table;

use crate::args;
use crate::asked;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Result;
use crate::show;

pub(crate) fn run(context: &Context, args: &args::Paths) -> Result<Exit> {
    let window = asked::named_window(context, &args.times)?;
    let store = context.store()?;
    let snapshot = asked::snapshot(context, &store, window)?;
    let table = Table::ALL.into_iter().find(|table| table.to_string() == args.table);
    let parts: Vec<_> = snapshot.of(table.unwrap_or(Table::Records), window).collect();
    if context.global.format == Format::Table {
        let lines = parts.iter().map(|part| format!("{}\n", part.address()));
        return show::print(context, &lines.collect::<String>());
    }
    show::whole(context, &described(&parts, &args.table, window))?;
    Ok(Exit::Done)
}

/// The files with what is known of them; an end of the window that is open is null.
fn described(parts: &[&SnapshotPart], table: &str, window: Window) -> Answer {
    let texts = |of: &dyn Fn(&SnapshotPart) -> String| {
        Values::Texts(parts.iter().map(|part| Some(of(part))).collect())
    };
    let counts = |of: &dyn Fn(&SnapshotPart) -> u64| {
        Values::Ints(parts.iter().map(|part| i64::try_from(of(part)).ok()).collect())
    };
    let end = |time: Timestamp, open: Timestamp| {
        Values::Times(vec![(time != open).then_some(time); parts.len()])
    };
    Answer::of(
        [
            ("path", Unit::Text, texts(&SnapshotPart::address)),
            ("table", Unit::Text, texts(&|_| table.to_owned())),
            ("date", Unit::Text, texts(&|part| part.day.to_string())),
            ("rows", Unit::Count, counts(&|part| part.part.rows)),
            ("bytes", Unit::Bytes, counts(&|part| part.part.bytes)),
            ("since", Unit::Time, end(window.since, Window::ALL.since)),
            ("until", Unit::Time, end(window.until, Window::ALL.until)),
        ]
        .map(|(name, unit, values)| (name.to_owned(), unit.into(), values)),
    )
}
