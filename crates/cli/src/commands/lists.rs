//! The commands that list what there is to ask for: reports, columns, metrics, dimensions.

use pmtaq_query::{Answer, Catalog, DIMENSIONS, Values, metrics, site_dimensions};
use pmtaq_schema::columns::DATE;
use pmtaq_schema::{COLUMNS, Records, Unit};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Result;
use crate::{show, ui};

pub(crate) fn reports(context: &Context, catalog: &Catalog) -> Result<Exit> {
    let rows = catalog.iter().map(|r| {
        let own = catalog.own(&r.name).map(|own| own.file.display().to_string());
        [r.name.clone(), r.title.clone(), r.needs.to_string(), own.unwrap_or("pmtaq".to_owned())]
    });
    let listed = list(context, ["report", "title", "needs", "from"], rows.collect())?;
    ui::note(&context.global, "`pmtaq REPORT --help` says how each counts, and its options");
    Ok(listed)
}

pub(crate) fn columns(context: &Context) -> Result<Exit> {
    let rows = COLUMNS.iter().map(|column| {
        let field = column.fields.first().copied().unwrap_or("(derived)");
        [column.name, field, &column.records.to_string(), column.doc].map(str::to_owned)
    });
    let (date, doc) = DATE;
    let date = [date, "(derived)", &Records::ALL.to_string(), doc].map(str::to_owned);
    list(context, ["column", "field", "records", "meaning"], rows.chain([date]).collect())
}

pub(crate) fn metric_list(context: &Context) -> Result<Exit> {
    let rows = metrics().iter().map(|metric| {
        let unit = match (&metric.of, metric.unit) {
            (Some(of), _) => format!("percent of {of}"),
            (None, Unit::Bytes) => "bytes".to_owned(),
            (None, Unit::Seconds) => "seconds".to_owned(),
            _ => "count".to_owned(),
        };
        [metric.name.clone(), unit, metric.needs.to_string(), metric.doc.clone()]
    });
    list(context, ["metric", "unit", "needs", "meaning"], rows.collect())
}

pub(crate) fn dimensions(context: &Context) -> Result<Exit> {
    let all = DIMENSIONS.iter().chain(site_dimensions());
    let rows = all.map(|dimension| [dimension.name.to_owned(), dimension.doc.to_owned()]);
    let field = [
        "header_NAME".to_owned(),
        "a header of the message that is logged, such as header_X-Campaign".to_owned(),
    ];
    list(context, ["dimension", "meaning"], rows.chain([field]).collect())
}

pub(crate) fn list<const N: usize>(
    context: &Context,
    names: [&str; N],
    rows: Vec<[String; N]>,
) -> Result<Exit> {
    let column = |i: usize| Values::Texts(rows.iter().map(|row| Some(row[i].clone())).collect());
    let columns = names.iter().enumerate();
    let columns = columns.map(|(i, name)| ((*name).to_owned(), Unit::Text.into(), column(i)));
    show::whole(context, &Answer::of(columns))?;
    Ok(Exit::Done)
}
