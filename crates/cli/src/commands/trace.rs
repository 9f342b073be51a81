//! `pmtaq trace`: the life of a message, from its reception to what became of it.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::DataType;
use pmtaq_query::{Shape, Trace};
use pmtaq_render::{Format, Sheet};
use pmtaq_store::{Recipients, Store};

use crate::args;
use crate::asked::{self, Asked};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::{output, privacy, show, ui};

/// The columns of a message's table; what is the same in all of its rows stands above it.
const STEPS: &[&str] = &["time_logged", "waited", "event", "vmta", "server", "reply"];

pub(crate) fn run(context: &Context, args: &args::Trace) -> Result<Exit> {
    let trace = match (&args.key.rcpt, &args.key.env_id, &args.key.message_id) {
        (Some(address), _, _) => Trace::Recipient(stored_address(context, address)?),
        (_, Some(id), _) => Trace::EnvelopeId(id.clone()),
        (_, _, Some(id)) => Trace::MessageId(id.clone()),
        (None, None, None) => {
            return Err(Failure::usage("name a recipient, --env-id or --message-id"));
        }
    };
    let selection = asked::selection(&args.selection);
    let asked = asked::open(context, &args.selection.times)?;
    asked.session.check(&selection)?;
    let guard = ui::interrupt(asked.session.interrupt());
    let query = trace.query(&asked.session, &selection)?;
    if args.show_sql {
        return show::print(context, &asked.session.script(&query));
    }
    asked::say_window(context, &asked.snapshot, asked.window);
    let (shape, batches) = asked.session.run(&query, |shape, batches| {
        batches.collect::<pmtaq_query::Result<Vec<_>>>().map(|batches| (shape, batches))
    })??;
    drop(guard);
    let all = concat_batches(&shape.schema, &batches).map_err(|error| Failure::failed(&error))?;
    match context.global.format {
        Format::Table | Format::Markdown => messages(context, &shape, &all)?,
        format => {
            let sheet = show::sheet(&shape);
            show::write(context, &sheet, &mut std::iter::once(Ok(all.clone())), format)?;
        }
    }
    if all.num_rows() == 0 {
        say_nothing(context, &asked, &trace, args.key.rcpt.as_deref())?;
    }
    Ok(Exit::Done)
}

/// An address as the store spells it.
fn stored_address(context: &Context, address: &str) -> Result<String> {
    let store = Store::open(&context.global.store)?;
    let spelt = privacy::of_store(context, &store)?.sought(address);
    if store.recipients()? == Recipients::Masked && spelt != address {
        let text = format!("recipients are masked here: {spelt} may be many");
        ui::note(&context.global, &text);
    }
    Ok(spelt)
}

/// A table a message, with what is known of the message above it.
fn messages(context: &Context, shape: &Shape, all: &RecordBatch) -> Result<()> {
    let numbers = texts(all, "message")?;
    let numbers = numbers.as_string::<i32>();
    let keep: Vec<usize> =
        STEPS.iter().filter_map(|name| shape.schema.index_of(name).ok()).collect();
    let sheet = show::sheet(shape);
    let columns: Vec<_> = keep.iter().map(|index| sheet.columns[*index].clone()).collect();
    output::answer(&context.global, |out| {
        let mut begin = 0;
        while begin < all.num_rows() {
            let same = |row: &usize| numbers.value(*row) == numbers.value(begin);
            let rows = (begin..all.num_rows()).take_while(same).count();
            let steps = all.slice(begin, rows).project(&keep).map_err(|e| Failure::failed(&e))?;
            let sheet = Sheet {
                title: Some(title(all, begin)?),
                columns: columns.clone(),
                ..Sheet::new(steps.schema())
            };
            if begin > 0 {
                writeln!(out)?;
            }
            let mut steps = std::iter::once(Ok(steps));
            show::write_to(context, &sheet, &mut steps, context.global.format, out)?;
            begin += rows;
        }
        Ok(())
    })
}

/// What became of the message of a row, and what it was.
fn title(all: &RecordBatch, row: usize) -> Result<String> {
    let value = |name| -> Result<Option<String>> {
        let texts = texts(all, name)?;
        let texts = texts.as_string::<i32>();
        Ok(texts.is_valid(row).then(|| texts.value(row).to_owned()))
    };
    let mut title = format!(
        "{}: {}",
        value("rcpt")?.unwrap_or_default(),
        value("outcome")?.unwrap_or_default()
    );
    if let Some(attempts) = value("attempts")?.filter(|attempts| attempts != "0") {
        title += &format!(", {attempts} attempt{}", if attempts == "1" { "" } else { "s" });
    }
    if let Some(took) = value("took")?.and_then(|took| took.parse().ok()) {
        title += &format!(" in {}", pmtaq_schema::size::show_duration(took));
    }
    for (word, name) in [("from", "orig"), ("job", "job_id"), ("envelope", "env_id")] {
        if let Some(value) = value(name)?.filter(|value| !value.is_empty()) {
            title += &format!(", {word} {value}");
        }
    }
    Ok(title)
}

/// A column of the answer as texts.
fn texts(all: &RecordBatch, name: &str) -> Result<ArrayRef> {
    let column = all.column_by_name(name).expect("trace.sql has this column");
    cast(column, &DataType::Utf8).map_err(|error| Failure::failed(&error))
}

/// Nothing is an answer that needs a word: never sent to, or misspelt?
fn say_nothing(context: &Context, asked: &Asked, trace: &Trace, typed: Option<&str>) -> Result<()> {
    let text = match trace {
        Trace::Recipient(address) if !address.contains('@') => {
            format!(
                "no records: `{address}` is no address; `pmtaq search {address}` looks for a text"
            )
        }
        Trace::Recipient(address) => {
            let mut nearest = trace.nearest(&asked.session)?;
            // Tokens that look alike are nobody's neighbours.
            let typed = typed.unwrap_or(address);
            nearest.retain(|near| typed == address || !near.contains('@'));
            let hint = match nearest.is_empty() {
                true => String::new(),
                false => format!("; nearest: {}", nearest.join(", ")),
            };
            format!("no record has the recipient {typed}{hint}")
        }
        Trace::EnvelopeId(id) => format!("no record has the envelope identifier {id}"),
        Trace::MessageId(id) => format!(
            "no record has the Message-Id {id}; it is known only where record-fields lists \
             header_Message-Id"
        ),
    };
    ui::note(&context.global, &text);
    Ok(())
}
