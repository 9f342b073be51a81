//! `pmtaq sql`: a statement of the user, from the command line, a file or stdin, and its answer.
//! What a statement may do is decided by `query`.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use pmtaq_query::{Query, Session};
use pmtaq_render::{BoxError, Format};
use pmtaq_schema::untrusted::visible;

use super::shell;
use crate::args;
use crate::asked;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::{output, show, ui};

/// Rows of a table on a terminal when nothing is said: more than anyone reads, and few enough
/// to hold in memory.
const TERMINAL_ROWS: u64 = 1000;

/// How a statement is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// Show the plan instead of running it.
    pub(crate) explain: bool,
    /// Rows to show; 0 for all, none for what the output bears.
    pub(crate) limit: Option<u64>,
}

pub(crate) fn run(context: Context, args: &args::Sql) -> Result<Exit> {
    let manner = Manner { explain: args.explain, limit: args.limit };
    let files = allowed(&args.allow_files)?;
    let from_stdin = || -> Result<String> {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        Ok(text)
    };
    let statement = match (&args.statement, &args.file) {
        (Some(dash), _) if dash == "-" => from_stdin()?,
        (Some(statement), _) => statement.clone(),
        (None, Some(path)) => std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?,
        (None, None) if std::io::stdin().is_terminal() => {
            return shell::run(context, &args.times, &files, manner);
        }
        (None, None) => from_stdin()?,
    };
    let asked = asked::open_with(&context, &args.times, &files)?;
    if let Some(engine) = context.answering.name() {
        ui::note(&context.global, &format!("answered by {engine}"));
    }
    let answered = answer(&context, &asked.session, &statement, manner);
    let names_a_file = args.statement.as_deref().is_some_and(|text| Path::new(text).is_file());
    match answered {
        Err(failure) if names_a_file => {
            Err(failure.hint(format!("`pmtaq sql --file {statement}` runs what is in that file")))
        }
        answered => answered.map(|()| Exit::Done),
    }
}

/// The files that may be read, as the user spells them and by their full paths: the engine
/// compares the path of the statement with them.
fn allowed(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in paths {
        let full = path.canonicalize().map_err(|error| {
            Failure::usage(format!("--allow-files {}: {error}", path.display()))
        })?;
        all.extend([path.clone(), full]);
    }
    Ok(all)
}

/// Answers one statement.
pub(crate) fn answer(
    context: &Context,
    session: &Session,
    statement: &str,
    manner: Manner,
) -> Result<()> {
    let explained =
        statement.trim_start().get(..8).is_some_and(|w| w.eq_ignore_ascii_case("explain "));
    let query = if manner.explain && !explained {
        session.adhoc(&format!("explain {statement}"))?
    } else {
        session.adhoc(statement)?
    };
    let format = context.global.format;
    if (explained || manner.explain) && format == Format::Table {
        return plan(context, session, &query);
    }
    let on_terminal = format == Format::Table && ui::on_terminal(&context.global);
    let limit = match manner.limit {
        Some(0) => None,
        None if on_terminal => Some(TERMINAL_ROWS),
        given => given,
    };
    let _guard = ui::interrupt(session.interrupt());
    let mut more = false;
    let written = session.run(&query, |shape, batches| {
        let mut batches = batches.map(|batch| batch.map_err(BoxError::from));
        let mut capped = Capped { batches: &mut batches, left: limit, more: &mut more };
        show::write(context, &show::sheet(&shape), &mut capped, format)
    })??;
    if more {
        let text = format!("first {} rows shown; --limit 0 for all", written.rows);
        ui::note(&context.global, &text);
    }
    Ok(())
}

/// The plan of the engine, line by line: a table would put it on one.
fn plan(context: &Context, session: &Session, query: &Query) -> Result<()> {
    let answer = session.answer(query)?;
    let plans = answer.names().last().map(|name| answer.texts(name)).transpose()?;
    output::answer(&context.global, |out| {
        for plan in plans.iter().flatten().flatten() {
            for line in plan.lines() {
                writeln!(out, "{}", visible(line).trim_end())?;
            }
        }
        Ok(())
    })
}

/// The first rows of an answer, and whether there are more.
struct Capped<'b> {
    batches: show::Batches<'b>,
    left: Option<u64>,
    more: &'b mut bool,
}

impl Iterator for Capped<'_> {
    type Item = std::result::Result<RecordBatch, BoxError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.batches.next()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(error)),
        };
        let Some(left) = &mut self.left else { return Some(Ok(batch)) };
        let rows = usize::try_from(*left).unwrap_or(usize::MAX).min(batch.num_rows());
        *self.more |= rows < batch.num_rows();
        *left -= rows as u64;
        if *left == 0 && *self.more && rows == 0 {
            return None;
        }
        Some(Ok(batch.slice(0, rows)))
    }
}
