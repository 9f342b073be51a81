//! `pmtaq explain`: what a reply means, whose fault it is, what helps, and how often it was seen.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use pmtaq_query::{Selection, Sought, seen};
use pmtaq_render::{Column, Format, Sheet, Unit};
use pmtaq_schema::explain::{Entry, FAULTS, codes, explain, template};

use crate::args;
use crate::asked::{self, Asked};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
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
    for sought in very.into_iter().chain([Sought::Entry(entry)]) {
        let query = seen(&sought, selection)?;
        let _guard = ui::interrupt(asked.session.interrupt());
        let (schema, batches) = asked.session.run(&query, |shape, batches| {
            batches.collect::<pmtaq_query::Result<Vec<_>>>().map(|batches| (shape.schema, batches))
        })??;
        let all = concat_batches(&schema, &batches).map_err(|error| Failure::failed(&error))?;
        if all.num_rows() > 0 {
            return read(context, &all);
        }
    }
    Ok(Seen::default())
}

fn read(context: &Context, all: &RecordBatch) -> Result<Seen> {
    let column =
        |n: usize, to: &DataType| cast(all.column(n), to).map_err(|error| Failure::failed(&error));
    let providers = column(0, &DataType::Utf8)?;
    let providers = providers.as_string::<i32>();
    let counts = column(1, &DataType::Int64)?;
    let counts = counts.as_primitive::<Int64Type>();
    let day = |n: usize, newest: bool| -> Result<Option<String>> {
        let micros = column(n, &DataType::Int64)?;
        let micros = micros.as_primitive::<Int64Type>().values().iter();
        let time = if newest { micros.max() } else { micros.min() };
        let seconds = time.map(|micros| pmtaq_schema::Timestamp(micros.div_euclid(1_000_000)));
        Ok(seconds.map(|time| minute(time, context.global.tz)))
    };
    let mut by: Vec<String> = (0..all.num_rows().min(PROVIDERS))
        .map(|row| format!("{} {}", providers.value(row), counts.value(row)))
        .collect();
    if all.num_rows() > PROVIDERS {
        by.push(format!("and {} more", all.num_rows() - PROVIDERS));
    }
    let total = counts.values().iter().sum();
    Ok(Seen { total, by: by.join(", "), first: day(2, false)?, last: day(3, true)? })
}

/// A card an entry for people, a row an entry for machines.
fn write(context: &Context, entries: &[&Entry], seen: &[Seen]) -> Result<()> {
    let texts = |of: &dyn Fn(usize) -> Option<String>| -> ArrayRef {
        Arc::new((0..entries.len()).map(of).collect::<StringArray>())
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
    let counts: Int64Array = seen.iter().map(|seen| Some(seen.total)).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("says", texts(&says)),
        ("code", texts(&code)),
        ("meaning", texts(&|n| some(entries[n].meaning))),
        ("fault", texts(&fault)),
        ("remedy", texts(&|n| some(entries[n].remedy))),
        ("source", texts(&|n| some(entries[n].source))),
        ("seen", Arc::new(counts)),
        ("by", texts(&|n| some(&seen[n].by).filter(|by| !by.is_empty()))),
        ("first_seen", texts(&|n| seen[n].first.clone())),
        ("last_seen", texts(&|n| seen[n].last.clone())),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, column)| column).collect();
    let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(|e| Failure::failed(&e))?;
    let mut sheet = Sheet::new(schema);
    sheet.columns[6] = Column::new("seen", Unit::Count);
    let mut batches = std::iter::once(Ok(batch));
    match cards {
        true => show::cards(context, &sheet, &mut batches)?,
        false => show::write(context, &sheet, &mut batches, context.global.format)?,
    };
    Ok(())
}
