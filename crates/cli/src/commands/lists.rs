//! The commands that list what there is to ask for: reports, columns, metrics, dimensions.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use pmtaq_query::{Catalog, DIMENSIONS, Unit, metrics};
use pmtaq_render::Sheet;
use pmtaq_schema::COLUMNS;

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
    list(context, ["column", "field", "records", "meaning"], rows.collect())
}

pub(crate) fn metric_list(context: &Context) -> Result<Exit> {
    let rows = metrics().iter().map(|metric| {
        let unit = match &metric.unit {
            Unit::Percent(Some(of)) => format!("percent of {of}"),
            Unit::Bytes => "bytes".to_owned(),
            Unit::Seconds => "seconds".to_owned(),
            _ => "count".to_owned(),
        };
        [metric.name.clone(), unit, metric.needs.to_string(), metric.doc.clone()]
    });
    list(context, ["metric", "unit", "needs", "meaning"], rows.collect())
}

pub(crate) fn dimensions(context: &Context) -> Result<Exit> {
    let rows = DIMENSIONS.iter().map(|d| [d.name.to_owned(), d.doc.to_owned()]);
    list(context, ["dimension", "meaning"], rows.collect())
}

pub(crate) fn list<const N: usize>(
    context: &Context,
    names: [&str; N],
    rows: Vec<[String; N]>,
) -> Result<Exit> {
    let fields = names.map(|name| Field::new(name, DataType::Utf8, false)).to_vec();
    let schema = Arc::new(Schema::new(fields));
    let columns = (0..N).map(|i| {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row[i]))) as ArrayRef
    });
    let batch = RecordBatch::try_new(schema.clone(), columns.collect())
        .expect("every column has one text a row");
    let mut batches = std::iter::once(Ok(batch));
    show::write(context, &Sheet::new(schema), &mut batches, context.global.format)?;
    Ok(Exit::Done)
}
