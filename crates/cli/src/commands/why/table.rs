//! The answer of `why` for machines: one object for JSON, a row a cause for the other formats.
//! The fields are described in docs/why.md.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{Field, Fields, Schema};
use pmtaq_query::{JOB, LEAF};
use pmtaq_render::{Format, Sheet};
use pmtaq_schema::Timestamp;
use pmtaq_why::{Cause, Part, Verdict};

use super::evidence::{Evidence, Onset};
use super::explanation::Explanation;
use super::page::command;
use crate::context::Context;
use crate::failure::Result;
use crate::show;

/// Named arrays of one length.
type Columns = Vec<(&'static str, ArrayRef)>;

/// Writes the answer in the format that the user wants.
pub(crate) fn write(context: &Context, told: &Explanation) -> Result<()> {
    let format = context.global.format;
    let columns = match format {
        Format::Json | Format::Jsonl => whole(told),
        _ => causes(told, false),
    };
    let fields: Vec<Field> = columns.iter().map(field).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(schema.clone(), arrays).expect("arrays of one length");
    show::write(context, &Sheet::new(schema), &mut std::iter::once(Ok(batch)), format)?;
    Ok(())
}

/// The answer as one row.
fn whole(told: &Explanation) -> Columns {
    let answer = &told.answer;
    let of = |pick: fn((f64, f64)) -> f64| numbers([answer.of.map(pick)]);
    let verdict = match answer.verdict {
        Verdict::Explained => "explained",
        Verdict::Quiet => "quiet",
        Verdict::Unexplained => "unexplained",
        Verdict::TooLittle => "too-little-data",
    };
    let has_range = !told.baseline.is_empty();
    vec![
        ("metric", texts([Some(answer.metric.name)])),
        ("unit", texts([Some(if answer.metric.is_rate() { "percent" } else { "count" })])),
        ("verdict", texts([Some(verdict)])),
        ("since", times([Some(told.window.since)])),
        ("until", times([Some(told.window.until)])),
        (
            "baseline",
            one_list(list_of(vec![
                ("since", times(told.baseline.iter().map(|window| Some(window.since)))),
                ("until", times(told.baseline.iter().map(|window| Some(window.until)))),
            ])),
        ),
        ("records", one_list(texts(told.had.iter().map(|rec| Some(rec.as_str()))))),
        ("now", numbers([Some(answer.now)])),
        ("usual", numbers([has_range.then_some(answer.usual)])),
        ("lowest", numbers([has_range.then_some(answer.range.0)])),
        ("highest", numbers([has_range.then_some(answer.range.1)])),
        ("of_now", of(|(now, _)| now)),
        ("of_usual", of(|(_, usual)| usual)),
        ("value_now", numbers([told.own.map(|own| own.now)])),
        ("value_usual", numbers([told.own.map(|own| own.usual)])),
        ("change", numbers([has_range.then_some(answer.now - answer.usual)])),
        ("unexplained", numbers([has_range.then_some(answer.unexplained)])),
        ("funnel", one_list(list_of(funnel(told)))),
        ("causes", one_list(list_of(causes(told, true)))),
        ("mix", one_list(list_of(mix(told)))),
        (
            "left_out",
            one_list(list_of(vec![
                ("since", times(told.left_out.iter().map(|(window, _)| Some(window.since)))),
                ("until", times(told.left_out.iter().map(|(window, _)| Some(window.until)))),
                ("value", numbers(told.left_out.iter().map(|(_, value)| Some(*value)))),
            ])),
        ),
        ("notes", one_list(texts(told.notes.iter().map(|note| Some(note.as_str()))))),
    ]
}

fn mix(told: &Explanation) -> Columns {
    let movers = &told.answer.mix;
    let of = |pick: fn(&pmtaq_why::Mover) -> f64| numbers(movers.iter().map(|m| Some(pick(m))));
    vec![
        ("dimension", texts(movers.iter().map(|mover| Some(mover.dimension.as_str())))),
        ("value", texts(movers.iter().map(|mover| mover.value.as_deref()))),
        ("share_now", of(|mover| mover.now)),
        ("share_usual", of(|mover| mover.usual)),
        ("usual_rate", of(|mover| mover.rate)),
        ("effect", of(|mover| mover.effect)),
    ]
}

fn funnel(told: &Explanation) -> Columns {
    let steps = &told.answer.steps;
    let of = |pick: fn(&pmtaq_why::Step) -> f64| numbers(steps.iter().map(|step| Some(pick(step))));
    let name = |part: Part| match part {
        Part::Stage(stage) => stage.name(),
        Part::Remote => "remote",
        Part::Mix => "mix",
        Part::WaitedBefore => "waited-before",
        Part::CameIn => "came-in",
        Part::WentOut => "went-out",
    };
    vec![
        ("stage", texts(steps.iter().map(|step| Some(name(step.part))))),
        ("entered_now", of(|step| step.now.0)),
        ("counted_now", of(|step| step.now.1)),
        ("entered_usual", of(|step| step.usual.0)),
        ("counted_usual", of(|step| step.usual.1)),
        ("effect", of(|step| step.effect)),
    ]
}

/// A row a cause; with the replies inside for formats that have lists.
fn causes(told: &Explanation, nested: bool) -> Columns {
    let nothing = Evidence::default();
    let all = &told.answer.causes;
    let evidence = |number: usize| told.evidence.get(number).unwrap_or(&nothing);
    let of = |pick: fn(&Cause) -> f64| numbers(all.iter().map(|cause| Some(pick(cause))));
    let value = |dim: &str| {
        let find = |cause: &Cause| {
            cause.values.iter().find(|(name, _)| name == dim).and_then(|(_, value)| value.clone())
        };
        let found: Vec<Option<String>> = all.iter().map(find).collect();
        texts(found.iter().map(Option::as_deref))
    };
    let onset = |number: usize| match evidence(number).onset {
        Some(Onset::At(time)) => Some(time),
        _ => None,
    };
    let first =
        |number: usize| evidence(number).replies.first().map(|reply| reply.template.as_str());
    let commands: Vec<Option<String>> = all.iter().map(|cause| command(told, cause)).collect();
    let mut columns = vec![
        ("stage", texts(all.iter().map(|cause| Some(cause.stage.name())))),
        ("reading", texts(all.iter().map(|cause| Some(cause.reading.name())))),
    ];
    if nested {
        columns.push(("values", pairs(all.iter().map(|cause| &cause.values))));
        columns.push(("implied", pairs(all.iter().map(|cause| &cause.implied))));
        let names = all.iter().map(|cause| cause.categories.len());
        let flat = all.iter().flat_map(|cause| &cause.categories);
        columns.push(("categories", lists(names, texts(flat.map(Option::as_deref)))));
        columns.push(("scopes", scopes(all)));
    } else {
        for dim in LEAF {
            let dim = told.by.filter(|_| dim == JOB).map_or(dim, |by| by.name);
            columns.push((dim, value(dim)));
        }
        let joined = |cause: &Cause| {
            let names = cause.categories.iter().map(|name| name.as_deref().unwrap_or("(none)"));
            names.collect::<Vec<_>>().join(" ")
        };
        let joined: Vec<String> = all.iter().map(joined).collect();
        columns.push(("categories", texts(joined.iter().map(|text| Some(text.as_str())))));
    }
    columns.extend([
        ("effect", of(|cause| cause.effect)),
        ("share", of(|cause| cause.share)),
        ("z", of(|cause| cause.z)),
        ("entered_now", of(|cause| cause.now.0)),
        ("counted_now", of(|cause| cause.now.1)),
        ("entered_usual", of(|cause| cause.usual.0)),
        ("counted_usual", of(|cause| cause.usual.1)),
        ("expected", of(|cause| cause.expected)),
        ("onset", times((0..all.len()).map(onset))),
    ]);
    if nested {
        let counts = (0..all.len()).map(|number| evidence(number).replies.len());
        let flat: Vec<_> = (0..all.len()).flat_map(|number| &evidence(number).replies).collect();
        let replies = list_of(vec![
            ("template", texts(flat.iter().map(|reply| Some(reply.template.as_str())))),
            ("category", texts(flat.iter().map(|reply| reply.category.as_deref()))),
            ("now", numbers(flat.iter().map(|reply| Some(reply.now)))),
            ("usual", numbers(flat.iter().map(|reply| Some(reply.usual)))),
        ]);
        columns.push(("replies", lists(counts, replies)));
    } else {
        columns.push(("reply", texts((0..all.len()).map(first))));
    }
    columns.push(("command", texts(commands.iter().map(Option::as_deref))));
    columns
}

/// Each of several that changed in a volume, a list for each cause.
fn scopes(all: &[Cause]) -> ArrayRef {
    let flat: Vec<&pmtaq_why::Scope> = all.iter().flat_map(|cause| &cause.scopes).collect();
    let of =
        |pick: fn(&pmtaq_why::Scope) -> f64| numbers(flat.iter().map(|scope| Some(pick(scope))));
    let scopes = list_of(vec![
        ("values", pairs(flat.iter().map(|scope| &scope.values))),
        ("effect", of(|scope| scope.effect)),
        ("now", of(|scope| scope.now)),
        ("usual", of(|scope| scope.usual)),
    ]);
    lists(all.iter().map(|cause| cause.scopes.len()), scopes)
}

/// Dimensions and values, a list for each cause.
fn pairs<'c>(of: impl Iterator<Item = &'c Vec<(String, Option<String>)>> + Clone) -> ArrayRef {
    let flat: Vec<&(String, Option<String>)> = of.clone().flatten().collect();
    let pairs = list_of(vec![
        ("dimension", texts(flat.iter().map(|(dim, _)| Some(dim.as_str())))),
        ("value", texts(flat.iter().map(|(_, value)| value.as_deref()))),
    ]);
    lists(of.map(Vec::len), pairs)
}

fn field((name, array): &(&'static str, ArrayRef)) -> Field {
    Field::new(*name, array.data_type().clone(), true)
}

fn texts<'t>(values: impl IntoIterator<Item = Option<&'t str>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

/// Whole numbers where they all are.
fn numbers(values: impl IntoIterator<Item = Option<f64>>) -> ArrayRef {
    let values: Vec<Option<f64>> = values.into_iter().collect();
    if values.iter().flatten().all(|n| n.fract() == 0.0 && n.abs() < 1e15) && !values.is_empty() {
        #[expect(clippy::cast_possible_truncation, reason = "they are whole and below 2^53")]
        return Arc::new(values.into_iter().map(|n| n.map(|n| n as i64)).collect::<Int64Array>());
    }
    // A millionth of a message is noise of the arithmetic.
    let rounded = values.into_iter().map(|n| n.map(|n| (n * 1e6).round() / 1e6));
    Arc::new(rounded.collect::<Float64Array>())
}

fn times(values: impl IntoIterator<Item = Option<Timestamp>>) -> ArrayRef {
    let micros = values.into_iter().map(|time| time.map(Timestamp::micros));
    Arc::new(micros.collect::<TimestampMicrosecondArray>())
}

/// Structs of the columns.
fn list_of(columns: Columns) -> ArrayRef {
    let fields: Fields = columns.iter().map(field).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    Arc::new(StructArray::new(fields, arrays, None))
}

/// A list for each length, of the values in their order.
fn lists(lengths: impl Iterator<Item = usize>, values: ArrayRef) -> ArrayRef {
    let field = Arc::new(Field::new("item", values.data_type().clone(), true));
    Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), values, None))
}

/// One list of all.
fn one_list(values: ArrayRef) -> ArrayRef {
    lists(std::iter::once(values.len()), values)
}
