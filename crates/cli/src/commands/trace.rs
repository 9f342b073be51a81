//! `pmtaq trace`: the life of a message, from its reception to what became of it.

use pmtaq_query::{Answer, Trace};
use pmtaq_render::{Format, Sheet};
use pmtaq_schema::human::duration;
use pmtaq_store::Recipients;

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
    let answer = asked.session.answer(&query)?;
    drop(guard);
    match context.global.format {
        Format::Table | Format::Markdown => messages(context, &answer)?,
        _ => drop(show::whole(context, &answer)?),
    }
    if answer.is_empty() {
        say_nothing(context, &asked, &trace, args.key.rcpt.as_deref())?;
    }
    Ok(Exit::Done)
}

/// An address as the store spells it.
fn stored_address(context: &Context, address: &str) -> Result<String> {
    let store = context.store()?;
    let stored = privacy::of_store(context, &store)?.stored_form(address);
    if store.recipients()? == Recipients::Masked && stored != address {
        let text = format!("recipients are masked here: {stored} may be many");
        ui::note(&context.global, &text);
    }
    Ok(stored)
}

/// A table a message, with what is known of the message above it.
fn messages(context: &Context, answer: &Answer) -> Result<()> {
    let numbers = answer.i64s("message")?;
    let titles = titles(answer)?;
    output::answer(&context.global, |out| {
        let mut begin = 0;
        for message in numbers.chunk_by(|a, b| a == b) {
            let steps = answer.part(begin..begin + message.len(), STEPS);
            let title = Some(titles[begin].clone());
            let sheet = Sheet { title, ..show::sheet(steps.shape()) };
            if begin > 0 {
                writeln!(out)?;
            }
            let mut batches = show::batches(&steps);
            show::write_to(context, &sheet, &mut batches, context.global.format, out)?;
            begin += message.len();
        }
        Ok(())
    })
}

/// For each row what became of its message, and what it was.
fn titles(answer: &Answer) -> Result<Vec<String>> {
    let (rcpt, outcome) = (answer.texts("rcpt")?, answer.texts("outcome")?);
    let (attempts, took) = (answer.i64s("attempts")?, answer.i64s("took")?);
    let names = [("from", "orig"), ("job", "job_id"), ("envelope", "env_id")];
    let mut title: Vec<String> = rcpt
        .into_iter()
        .zip(outcome)
        .map(|(rcpt, outcome)| {
            format!("{}: {}", rcpt.unwrap_or_default(), outcome.unwrap_or_default())
        })
        .collect();
    for ((title, attempts), took) in title.iter_mut().zip(attempts).zip(took) {
        if let Some(attempts) = attempts.filter(|attempts| *attempts != 0) {
            *title += &format!(", {attempts} attempt{}", if attempts == 1 { "" } else { "s" });
        }
        if let Some(took) = took {
            *title += &format!(" in {}", duration(took as f64));
        }
    }
    for (word, name) in names {
        for (title, value) in title.iter_mut().zip(answer.texts(name)?) {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                *title += &format!(", {word} {value}");
            }
        }
    }
    Ok(title)
}

/// Nothing is an answer that needs a word: never sent to, or misspelt?
fn say_nothing(context: &Context, asked: &Asked, trace: &Trace, typed: Option<&str>) -> Result<()> {
    let text = match trace {
        Trace::Recipient(address) if !address.contains('@') => {
            format!(
                "no records: `{address}` is not an address; `pmtaq search {address}` looks for a text"
            )
        }
        Trace::Recipient(address) => {
            let mut nearest = trace.nearest(&asked.session)?;
            // Tokens that look alike are nobody's neighbours.
            let typed = typed.unwrap_or(address);
            nearest.retain(|near| typed == address || !near.contains('@'));
            let hint = if nearest.is_empty() {
                String::new()
            } else {
                format!("; nearest: {}", nearest.join(", "))
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
