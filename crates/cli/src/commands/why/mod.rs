//! `why`: what moved a number. Here a question is opened, and its answer told; each file below has one
//! step of that, in order.

mod window;

mod frame;
mod had;

mod evidence;
mod explanation;

mod question;

pub(crate) mod page;
mod table;

use pmtaq_query::{Dimension, LEAF};
use pmtaq_render::Format;
use pmtaq_render::words::{count, percent};
use pmtaq_store::Snapshot;
use pmtaq_why::Metric;

use crate::asked::Asked;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::versus::Versus;
use crate::window::window_text;
use crate::{args, asked, show, ui};
pub(crate) use evidence::{Evidence, Reply};
pub(crate) use explanation::Explanation;
pub(crate) use frame::Frame;
pub(crate) use question::Question;

pub(crate) fn run(context: &Context, args: &args::WhyArgs) -> Result<Exit> {
    let metric = Metric::named(&args.metric).ok_or_else(|| unknown(&args.metric))?;
    let zone = context.global.tz;
    let wanted = window::asked(args, zone, context.now).map_err(Failure::usage)?;
    let frame = |snapshot: &Snapshot| Frame::of(snapshot, args.vs, wanted, zone).of_metric(metric);
    let windows = |snapshot: &Snapshot| frame(snapshot).windows();
    let reach = Frame::near(args.vs, wanted, zone);
    let Asked { session, snapshot, .. } = asked::open_windows(context, reach, &[], windows)?;
    let frame = frame(&snapshot);
    session.check(&asked::selection(&args.selection))?;
    let by = args.by.as_deref().map(|name| own_dimension(name, metric)).transpose()?;
    let selection = &args.selection;
    let question = Question { session: &session, frame: &frame, selection, by, has_others: false };
    if args.show_sql {
        return show::print(context, &question.sql(metric)?);
    }
    let of_query = pmtaq_query::metric(metric.name).into_iter();
    let lacks = session.unknown(of_query, &[], &asked::selection(&args.selection))?;
    if let Some(lack) = lacks.first() {
        let failure = Failure::from_text(lack.to_string());
        return Err(match lack.lines().as_slice() {
            [] => failure,
            lines => failure.hint(format!("`{}` in <acct-file> logs it", lines.join("` and `"))),
        });
    }
    let guard = ui::interrupt(session.interrupt());
    let told = question.tell(metric)?;
    drop(guard);
    session.leak();
    if context.global.format == Format::Table {
        say(context, args.vs, &told);
        return show::print(context, &page::text(&told, zone, ui::width(&context.global)));
    }
    table::write(context, &told)?;
    Ok(Exit::Done)
}

/// What was compared with what, on stderr.
fn say(context: &Context, versus: Versus, told: &Explanation) {
    let text = format!(
        "{} {}, compared with {}; from {} records: {}{}",
        window_text(told.window, context.global.tz),
        context.global.tz,
        versus.name(told.window, told.baseline.len()),
        count(told.n_records as f64),
        told.had.join(" "),
        asked::engine_text(context),
    );
    ui::note(&context.global, &text);
    told.notes.iter().for_each(|note| ui::note(&context.global, note));
    for (window, value) in &told.left_out {
        let metric = told.answer.metric;
        let value = if metric.is_rate() { percent(*value) } else { count(*value) };
        let window = window_text(*window, context.global.tz);
        ui::note(
            &context.global,
            &format!("left out of the baseline: {window}, {} {value}", metric.name),
        );
    }
}

/// The dimension that is told apart in place of the jobs.
fn own_dimension(name: &str, metric: &Metric) -> Result<&'static Dimension> {
    let by = pmtaq_query::dimension(name)?;
    if LEAF.contains(&by.name) {
        return Err(Failure::usage(format!("`why` tells causes apart by {} already", by.name)));
    }
    if !by.is_of_field() {
        return Err(Failure::usage(format!("`why` tells no cause by {}", by.name))
            .hint("--by takes a header, as header_X-Campaign, or one of [dimensions]"));
    }
    if metric.is_of_complaints() {
        return Err(Failure::usage(format!("a complaint does not say its {}", by.name))
            .hint("leave out --by: complaints are told by what their delivery has"));
    }
    Ok(by)
}

fn unknown(name: &str) -> Failure {
    let names = Metric::ALL.iter().map(|metric| metric.name);
    let nearest = pmtaq_schema::nearest::nearest(name, names.clone());
    let hint = nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    match elsewhere(&name.replace('-', "_")) {
        Some(command) => Failure::usage(format!("`why` does not explain `{name}`"))
            .hint(format!("look at `pmtaq {command}`")),
        None => Failure::usage(format!("`why` knows no metric `{name}`{hint}"))
            .hint(format!("it explains {}", names.collect::<Vec<_>>().join(", "))),
    }
}

/// The command that tells most of a metric that `why` does not explain.
fn elsewhere(metric: &str) -> Option<&'static str> {
    Some(match metric {
        "slowest" => "why p99` and `pmtaq latency --slow-first",
        "queue_peak" | "queue_oldest" => "why queue_depth` and `pmtaq queue",
        "delayed" | "delayed_rate" => "why deferral_rate",
        "attempts" => "why deferred",
        "bounced_in_band" => "why bounced",
        "bounced_by_receiver"
        | "bounced_after_reply"
        | "bounced_by_pmta"
        | "deleted_by_operator" => {
            "pivot --rows bounce_origin --metric bounced,deleted_by_operator"
        }
        "unknown_users" => "why hard",
        "unknown_user_rate" => "why hard_rate",
        "bytes" => "why delivered` and `pmtaq sizes",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_explained_or_told_where_it_is() {
        for metric in pmtaq_query::metrics() {
            let is_explained = Metric::named(&metric.name).is_some();
            assert!(is_explained != elsewhere(&metric.name).is_some(), "{}", metric.name);
        }
    }
}
