//! `pmtaq explain`: what a reply means, whose fault it is, what helps, and how often it was seen.

use pmtaq_query::{Answer, Selection, Sought, Values, seen};
use pmtaq_render::Format;
use pmtaq_schema::explain::{Entry, FAULTS, codes, explain, template};
use pmtaq_schema::{Timestamp, Unit};

use crate::args;
use crate::asked::{self, Asked};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Result;
use crate::window::minute;
use crate::{show, ui};

/// Providers that are named beside the number of replies seen.
const PROVIDERS: usize = 4;

pub(crate) fn run(context: &Context, args: &args::Explain) -> Result<Exit> {
    // Without quotes the shell makes words of a reply.
    let text = args.reply.join(" ");
    let entries = explain(&text);
    let selection = asked::selection(&args.selection);
    let asked = store(context, args)?;
    let mut seen = Vec::new();
    if let Some(asked) = &asked {
        asked.session.check(&selection)?;
        asked::say_window(context, &asked.snapshot, asked.window);
        for (n, entry) in entries.iter().enumerate() {
            seen.push(count(context, asked, &selection, &text, entry, n == 0)?);
        }
    }
    seen.resize(entries.len(), Seen::default());
    write(context, &entries, &seen)?;
    if entries.is_empty() {
        ui::note(
            &context.global,
            "nothing is known of this; quote the whole reply, or name its code",
        );
    }
    Ok(Exit::Done)
}

/// The store, if there is one: a reply can be explained without.
fn store(context: &Context, args: &args::Explain) -> Result<Option<Asked>> {
    match asked::open(context, &args.selection.times) {
        Ok(asked) => Ok(Some(asked)),
        Err(failure) if failure.is_missing_store() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// How often something was seen.
#[derive(Clone, Debug, Default)]
struct Seen {
    total: i64,
    by: String,
    first: Option<String>,
    last: Option<String>,
}

/// Counts this very reply where a whole one is given, else what the entry is about.
fn count(
    context: &Context,
    asked: &Asked,
    selection: &Selection,
    text: &str,
    entry: &Entry,
    first: bool,
) -> Result<Seen> {
    let whole = first && !codes(text.trim()).2.is_empty();
    let very = whole.then(|| Sought::Template(template(text)));
    let about = (!entry.is_of_anyone()).then_some(Sought::Entry(entry));
    for sought in very.into_iter().chain(about) {
        let query = seen(&sought, selection)?;
        let _guard = ui::interrupt(asked.session.interrupt());
        let answer = asked.session.answer(&query)?;
        if !answer.is_empty() {
            return read(context, &answer);
        }
    }
    Ok(Seen::default())
}

fn read(context: &Context, answer: &Answer) -> Result<Seen> {
    let counts = answer.i64s("seen")?;
    let mut by: Vec<String> = answer
        .texts("provider")?
        .into_iter()
        .zip(&counts)
        .take(PROVIDERS)
        .filter_map(|(provider, count)| Some(format!("{} {}", provider?, (*count)?)))
        .collect();
    if answer.len() > PROVIDERS {
        by.push(format!("and {} more", answer.len() - PROVIDERS));
    }
    let moment = |time: Option<Timestamp>| time.map(|time| minute(time, context.global.tz));
    Ok(Seen {
        total: counts.into_iter().flatten().sum(),
        by: by.join(", "),
        first: moment(answer.times("first_seen")?.into_iter().flatten().min()),
        last: moment(answer.times("last_seen")?.into_iter().flatten().max()),
    })
}

/// A card an entry for people, a row an entry for machines.
fn write(context: &Context, entries: &[&Entry], seen: &[Seen]) -> Result<()> {
    let texts = |of: &dyn Fn(usize) -> Option<String>| {
        (Unit::Text, Values::Texts((0..entries.len()).map(of).collect()))
    };
    let some = |text: &str| Some(text.to_owned());
    let fault = |fault: &str| {
        let known = FAULTS.iter().find(|(name, _)| *name == fault);
        known.map_or(fault, |(_, meaning)| meaning).to_owned()
    };
    let cards = context.global.format == Format::Table;
    let code = |n: usize| {
        let codes: Vec<String> = entries[n].codes.iter().map(ToString::to_string).collect();
        Some(codes.join(" ")).filter(|codes| !codes.is_empty())
    };
    let says = |n: usize| match entries[n].provider {
        "any" => some("the standard"),
        provider => some(provider),
    };
    let fault =
        |n: usize| Some(if cards { fault(entries[n].fault) } else { entries[n].fault.into() });
    let counts = Values::Ints(seen.iter().map(|seen| Some(seen.total)).collect());
    let columns = [
        ("says", texts(&says)),
        ("code", texts(&code)),
        ("meaning", texts(&|n| some(entries[n].meaning))),
        ("fault", texts(&fault)),
        ("remedy", texts(&|n| some(entries[n].remedy))),
        ("source", texts(&|n| some(entries[n].source))),
        ("seen", (Unit::Count, counts)),
        ("by", texts(&|n| some(&seen[n].by).filter(|by| !by.is_empty()))),
        ("first_seen", texts(&|n| seen[n].first.clone())),
        ("last_seen", texts(&|n| seen[n].last.clone())),
    ];
    let columns = columns.map(|(name, (unit, values))| (name.to_owned(), unit.into(), values));
    let answer = Answer::of(columns);
    match context.global.format {
        Format::Table => show::cards(context, &answer)?,
        _ => show::whole(context, &answer)?,
    };
    Ok(())
}
