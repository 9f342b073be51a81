//! `pmtaq pivot`: any metrics by any dimensions.

use pmtaq_query::{Dimension, Pivot, dimension};

use crate::args;
use crate::asked;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Result;
use crate::{show, ui};

pub(crate) fn run(context: &Context, args: &args::Pivot) -> Result<Exit> {
    let is_time = |name: &String| dimension(name).is_ok_and(Dimension::is_time);
    let is_all = context.is_whole() || args.rows.iter().all(is_time);
    let top = args.top.unwrap_or(if is_all { 0 } else { 20 });
    let pivot = Pivot::new(&args.rows, args.cols.as_deref(), &args.metric, top)?;
    let pivot =
        if context.is_whole() && args.top.is_none() { pivot.with_all_columns() } else { pivot };
    let selection = asked::selection(&args.selection);
    let asked = asked::open(context, &args.selection.times)?.from(&args.answer.from);
    asked.session.check(&selection)?;
    if args.answer.show_sql {
        let queries = pivot.queries(&asked.session, &selection)?;
        let scripts = queries.iter().map(|query| asked.session.script(query));
        return show::print(context, &scripts.collect::<Vec<_>>().join("\n"));
    }
    let window = asked::span_text(context, &asked.snapshot, asked.window);
    ui::note(&context.global, &window);
    let guard = ui::interrupt(asked.session.interrupt());
    let answer = pivot.run(&asked.session, &selection)?;
    drop(guard);
    let format = context.global.format;
    let sheet = show::titled(show::sheet(answer.shape()), format, &format!("Pivot: {window}"));
    show::write(context, &sheet, &mut show::batches(&answer), format)?;
    asked::say_lacks(context, &asked.session.take_lacks());
    let exit = asked::say_rows(context, &asked, answer.len() as u64, &selection)?;
    asked.session.leak();
    Ok(exit)
}
