//! `pmtaq search`: records that hold a text, newest first.

use pmtaq_query::{Matching, Needle, Search, Selection, is_code};
use pmtaq_render::{BoxError, Format, LineFormat};
use pmtaq_store::Recipients;

use crate::args;
use crate::asked::{self, Asked};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::{privacy, show, ui};

pub(crate) fn run(context: &Context, args: &args::Search) -> Result<Exit> {
    let lines = args.line_format.as_deref().map(LineFormat::parse).transpose();
    let lines = lines.map_err(|what| Failure::usage(format!("--line-format {what}")))?;
    if lines.is_some() && context.global.format != Format::Table {
        return Err(Failure::usage("--line-format is a format of its own")
            .hint("leave out --format, or choose columns by --fields"));
    }
    let mut selection = asked::selection(&args.selection);
    selection.filter("rec", args.rec.clone());
    let needles = stored_needles(context, needles(args)?, args.regex)?;
    if needles.is_empty() && selection.filters.is_empty() && selection.condition.is_none() {
        return Err(Failure::usage("nothing to search for").hint(
            "name a text, or a filter such as --code 5.7.*; `pmtaq help search` shows more",
        ));
    }
    say_codes(context, args);
    let matching = Matching { regex: args.regex, ignore_case: args.ignore_case };
    let fields = lines.as_ref().map_or(args.fields_shown.as_slice(), LineFormat::fields);
    let search = Search::new(needles, matching, fields)?;
    let asked = asked::open(context, &args.selection.times)?;
    asked.session.check(&selection)?;
    search.check(&asked.session)?;
    let usual = if context.is_whole() { 0 } else { 100 };
    let limit = Some(args.limit.unwrap_or(usual)).filter(|limit| *limit > 0);
    if args.show_sql {
        let query =
            if args.count { search.count(&selection)? } else { search.query(&selection, limit)? };
        return show::print(context, &asked.session.script(&query));
    }
    asked::say_window(context, &asked.snapshot, asked.window);
    if args.count {
        let query = search.count(&selection)?;
        show::answer(context, &asked.session, &query, context.global.format, "Records found")?;
        return Ok(Exit::Done);
    }
    let rows = write_found(context, &asked, &search, &selection, limit, lines.as_ref())?;
    if limit == Some(rows) {
        let text = format!("newest {rows} shown; --limit 0 for all");
        ui::note(&context.global, &text);
    }
    asked::say_rows(context, &asked, rows, &selection)
}

/// Writes what is found; returns how many records that was.
fn write_found(
    context: &Context,
    asked: &Asked,
    search: &Search,
    selection: &Selection,
    limit: Option<u64>,
    lines: Option<&LineFormat>,
) -> Result<u64> {
    let Asked { session, snapshot, window } = asked;
    let _guard = ui::interrupt(session.interrupt());
    let written =
        search.run(session, snapshot, *window, selection, limit, |shape, batches| {
            let mut batches = batches.map(|batch| batch.map_err(BoxError::from));
            let sheet = show::sheet(&shape);
            match lines {
                Some(lines) => show::lines(context, lines, &sheet, &mut batches),
                None => show::write(context, &sheet, &mut batches, context.global.format),
            }
        })??;
    Ok(written.rows)
}

/// The texts of the command line, each with its field.
fn needles(args: &args::Search) -> Result<Vec<Needle>> {
    let of = |field: Option<&str>, text: &String| Needle {
        field: field.map(str::to_owned),
        text: text.clone(),
    };
    let mut needles: Vec<Needle> = args.needles.iter().map(|text| of(None, text)).collect();
    let fields = &args.fields;
    for (column, texts) in [
        ("dsn_diag", &fields.diag),
        ("dsn_status", &fields.status),
        ("rcpt", &fields.rcpt),
        ("orig", &fields.orig),
        ("dsn_mta", &fields.mta),
        ("env_id", &fields.env_id),
        ("queue", &fields.queue),
    ] {
        needles.extend(texts.iter().map(|text| of(Some(column), text)));
    }
    for text in &fields.field {
        let (name, text) = text.split_once('=').ok_or_else(|| {
            Failure::usage(format!("--field `{text}` is not FIELD=TEXT"))
                .hint("write it like --field header_Subject=spring")
        })?;
        needles.push(of(Some(name), &text.to_owned()));
    }
    if let Some(empty) = needles.iter().find(|needle| needle.text.is_empty()) {
        let place = empty.field.as_deref().unwrap_or("NEEDLE");
        return Err(Failure::usage(format!(
            "the text for {place} is empty: every record holds it"
        )));
    }
    Ok(needles)
}

/// The addresses in the texts as the store spells them.
fn stored_needles(context: &Context, mut needles: Vec<Needle>, regex: bool) -> Result<Vec<Needle>> {
    let names_one = |needle: &Needle| needle.text.contains('@');
    if !needles.iter().any(names_one) {
        return Ok(needles);
    }
    let store = context.store()?;
    let recipients = store.recipients()?;
    if regex && recipients != Recipients::Plain {
        let text = format!("recipients are {recipients} here: no regular expression finds one");
        ui::note(&context.global, &text);
        return Ok(needles);
    }
    let privacy = privacy::of_store(context, &store)?;
    for needle in needles.iter_mut().filter(|needle| names_one(needle)) {
        needle.text = privacy.stored_form(&needle.text);
    }
    Ok(needles)
}

/// Says which needles are taken as codes: who meant the characters must hear of it.
fn say_codes(context: &Context, args: &args::Search) {
    for code in args.needles.iter().filter(|text| !args.regex && is_code(text)) {
        let text = format!("{code} is taken as a reply code; --diag {code} finds the characters");
        ui::note(&context.global, &text);
    }
}
