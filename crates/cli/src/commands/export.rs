//! `pmtaq export`: the records themselves.

use pmtaq_query::Query;
use pmtaq_render::Format;

use crate::args;
use crate::asked;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Result;
use crate::{show, ui};

pub(crate) fn run(context: &Context, args: &args::Export) -> Result<Exit> {
    let selection = asked::selection(&args.selection);
    let asked = asked::open(context, &args.selection.times)?;
    asked.session.check(&selection)?;
    let query: Query = asked.session.export(&args.columns, &selection)?;
    // A table of millions of rows is nothing that anyone wants: Parquet unless another is asked.
    let of_file = context.global.output.as_deref().and_then(Format::of_file);
    let format = context.global.asked_format.or(of_file).unwrap_or(Format::Parquet);
    show::refuse_terminal(context, format)?;
    let window = asked::span_text(context, &asked.snapshot, asked.window);
    ui::note(&context.global, &window);
    let title = format!("Records: {window}");
    let written = show::answer(context, &asked.session, &query, format, &title)?;
    if written.rows > 0 {
        ui::note(&context.global, &format!("{} rows", written.rows));
    }
    asked::say_rows(context, &asked, written.rows, &selection)
}
