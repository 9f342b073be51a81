//! An answer as a page: what `query` knows of its columns, in the words of `render`.

use std::io::Write;

use arrow::array::RecordBatch;
use pmtaq_query::{Answer, Meaning, Query, Session, Shape};
use pmtaq_render::{BoxError, Format, LineFormat, Sheet, Style, WrittenSheet};
use pmtaq_schema::untrusted::visible_lines;

use crate::args::Global;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, REPAIR, Result};
use crate::{output, ui};

/// Rows as they come.
pub(crate) type Batches<'b> =
    &'b mut dyn Iterator<Item = std::result::Result<RecordBatch, BoxError>>;

/// Runs `query` and writes its answer where the user wants it; a page that leaves the terminal
/// has a title.
pub(crate) fn answer(
    context: &Context,
    session: &Session,
    query: &Query,
    format: Format,
    title: &str,
) -> Result<WrittenSheet> {
    let _guard = ui::interrupt(session.interrupt());
    session.run(query, |shape, batches| {
        let mut batches = batches.map(|batch| batch.map_err(BoxError::from));
        write(context, &titled(sheet(&shape), format, title), &mut batches, format)
    })?
}

/// `sheet` with the title that HTML shows; elsewhere stderr has said what it is.
pub(crate) fn titled(sheet: Sheet, format: Format, title: &str) -> Sheet {
    let title = (format == Format::Html).then(|| title.to_owned());
    Sheet { title, ..sheet }
}

/// Writes an answer that is in memory.
pub(crate) fn whole(context: &Context, answer: &Answer) -> Result<WrittenSheet> {
    write(context, &sheet(answer.shape()), &mut batches(answer), context.global.format)
}

/// An answer in memory as its one batch.
pub(crate) fn batches(
    answer: &Answer,
) -> impl Iterator<Item = std::result::Result<RecordBatch, BoxError>> {
    std::iter::once(Ok(answer.rows().clone()))
}

/// Says which format it is, when the name of the file of `-o` ends like none.
fn tell_format(context: &Context, format: Format) {
    let Global { output: Some(path), asked_format: None, .. } = &context.global else { return };
    if path.extension().is_some() && Format::of_file(path).is_none() {
        let (path, format) = (path.display(), format.name());
        let text =
            format!("{path} ends like no format and is written as {format}; --format names one");
        ui::note(&context.global, &text);
    }
}

/// Writes batches of a known shape.
pub(crate) fn write(
    context: &Context,
    sheet: &Sheet,
    batches: Batches<'_>,
    format: Format,
) -> Result<WrittenSheet> {
    refuse_terminal(context, format)?;
    tell_format(context, format);
    output::answer(&context.global, |out| write_to(context, sheet, batches, format, out))
}

/// Refuses to write to a terminal what is not text.
pub(crate) fn refuse_terminal(context: &Context, format: Format) -> Result<()> {
    if format.is_binary() && ui::on_terminal(&context.global) {
        return Err(Failure::usage(format!("{format} is not for a terminal"))
            .hint("name a file by -o, redirect stdout, or choose --format csv"));
    }
    Ok(())
}

/// As [`write`], to an output that is open already: an answer may be several pages.
pub(crate) fn write_to(
    context: &Context,
    sheet: &Sheet,
    batches: Batches<'_>,
    format: Format,
    out: &mut (dyn Write + Send),
) -> Result<WrittenSheet> {
    let global = &context.global;
    let written = pmtaq_render::write(format, &style(context), sheet, batches, out)?;
    if written.hidden_columns > 0 || written.cut_columns > 0 {
        let columns = |n: usize, what: &str| match n {
            0 => None,
            1 => Some(format!("1 column {what}")),
            n => Some(format!("{n} columns {what}")),
        };
        let (cut, hidden) = (written.cut_columns, written.hidden_columns);
        let both = [columns(cut, "cut"), columns(hidden, "left out")];
        let what = both.into_iter().flatten().collect::<Vec<_>>().join(", ");
        ui::note(global, &format!("{what} to fit the terminal; --wide shows all"));
    }
    Ok(written)
}

/// Writes a line a row, as the user spelt it.
pub(crate) fn lines(
    context: &Context,
    format: &LineFormat,
    sheet: &Sheet,
    batches: Batches<'_>,
) -> Result<WrittenSheet> {
    output::answer(&context.global, |out| {
        Ok(pmtaq_render::write_lines(format, &style(context), sheet, batches, out)?)
    })
}

/// Writes a card a row.
pub(crate) fn cards(context: &Context, answer: &Answer) -> Result<WrittenSheet> {
    let sheet = sheet(answer.shape());
    output::answer(&context.global, |out| {
        Ok(pmtaq_render::write_cards(&style(context), &sheet, &mut batches(answer), out)?)
    })
}

fn style(context: &Context) -> Style {
    let global = &context.global;
    Style {
        width: ui::width(global),
        color: ui::color(global),
        terminal: ui::on_terminal(global),
        csv_safe: global.csv_safe,
        zone: global.tz.tz(),
    }
}

/// Writes a text where the user wants the answer.
pub(crate) fn print(context: &Context, text: &str) -> Result<Exit> {
    if ui::on_terminal(&context.global) {
        print_drawing(context, &visible_lines(text))
    } else {
        print_drawing(context, text)
    }
}

/// Writes a text that may have colours, and shows untrusted text by itself.
pub(crate) fn print_drawing(context: &Context, text: &str) -> Result<Exit> {
    output::answer(&context.global, |out| Ok(out.write_all(text.as_bytes())?))?;
    Ok(Exit::Done)
}

/// The page that a shape asks for.
pub(crate) fn sheet(shape: &Shape) -> Sheet {
    let mut sheet = Sheet::new(shape.schema.clone());
    for (column, meaning) in sheet.columns.iter_mut().zip(&shape.units) {
        if let Some(Meaning { unit, of }) = meaning {
            column.unit = *unit;
            column.of = of.as_ref().and_then(|of| shape.schema.index_of(of).ok());
        }
    }
    sheet
}

impl From<pmtaq_query::Error> for Failure {
    fn from(error: pmtaq_query::Error) -> Failure {
        use pmtaq_query::Error as E;
        match &error {
            E::Unknown { .. } | E::BadValue { .. } | E::BadReport { .. } | E::Syntax(_) => {
                Failure::usage(error.to_string())
            }
            E::NotReading(_) => Failure::usage(error.to_string())
                .hint("pmtaq never changes a store by SQL; `pmtaq export` writes files"),
            E::Interrupted => Failure::interrupted(),
            E::Vanished(_) | E::Damaged { .. } => Failure::failed(&error).hint(REPAIR),
            E::Memory(_) => Failure::failed(&error).hint(
                "ask for a shorter window, allow more with --memory, such as `--memory 8GB`, or \
                 give the rest room on a disk with --spill DIR and --spill-size",
            ),
            E::Timeout(_) => Failure::failed(&error)
                .hint("ask for a shorter window, or allow more time with --timeout"),
            E::Sql(text) if text.starts_with("Invalid Error") => {
                Failure::failed(&error).hint(REPAIR)
            }
            E::Sql(_) | E::Column { .. } | E::Elsewhere(_) | E::NotThere(_) => {
                Failure::failed(&error)
            }
        }
    }
}
