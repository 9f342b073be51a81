//! Which values an argument may have: of closed lists, and of the store. Reads the store when it is asked for
//! candidates, and not before.

use std::ffi::OsStr;
use std::path::Path;

use clap::builder::StyledStr;
use clap::{Arg, Command, ValueHint};
use clap_complete::CompletionCandidate;
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter};
use pmtaq_query::{DIMENSIONS, metrics};
use pmtaq_render::Format;
use pmtaq_schema::columns::DATE;
use pmtaq_schema::{COLUMNS, Record, Zone};
use pmtaq_store::Store;

use crate::args::ValueOf;

/// Days back from the newest record of which names are offered.
const DAYS: i64 = 7;

/// Days as people call them.
const MOMENTS: [&str; 10] = [
    "now",
    "today",
    "yesterday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// `command`, whose arguments know what they may be; names are those of the store in the folder `store`.
pub(super) fn of_arguments(command: Command, store: &Path) -> Command {
    let name = command.get_name().to_owned();
    let command = command.mut_args(|arg| of_argument(arg, &name, store));
    command.mut_subcommands(|command| of_arguments(command, store))
}

fn of_argument(arg: Arg, command: &str, store: &Path) -> Arg {
    if let Some(ValueOf(dimension)) = arg.get::<ValueOf>() {
        // A filter by codes takes two of them.
        let column = if *dimension == "code" { "enhanced_code" } else { dimension };
        let store = store.to_owned();
        return arg.add(ArgValueCompleter::new(move |begun: &OsStr| names(&store, column, begun)));
    }
    let Some([name, ..]) = arg.get_value_names() else { return arg };
    let list = match (name.as_str(), command) {
        ("DIMENSION" | "DIMENSIONS", _) => dimensions,
        ("METRICS", "graph") => graphed,
        ("METRIC", "check") => checked,
        ("METRIC" | "METRICS", _) => measured,
        ("COLUMNS", _) => columns,
        ("FIELDS", _) => fields,
        ("FORMAT", _) => formats,
        ("TYPE", _) => records,
        ("ZONE", _) => zones,
        ("WHEN", _) if arg.get_id() != "color" => moments,
        ("BASELINE", _) => baselines,
        ("DIR", _) => return arg.value_hint(ValueHint::DirPath),
        _ => return arg,
    };
    arg.add(ArgValueCandidates::new(list))
}

/// The names of a column that the newest days of the store have, as far as they go on as they were begun.
fn names(store: &Path, column: &str, begun: &OsStr) -> Vec<CompletionCandidate> {
    let Some(begun) = begun.to_str() else { return Vec::new() };
    let names = Store::open(store).and_then(|store| store.recent_names(column, begun, DAYS));
    names.unwrap_or_default().into_iter().map(CompletionCandidate::new).collect()
}

fn dimensions() -> Vec<CompletionCandidate> {
    DIMENSIONS.iter().map(|dimension| meaning(dimension.name, dimension.doc)).collect()
}

fn measured() -> Vec<CompletionCandidate> {
    metrics().iter().map(|metric| meaning(&metric.name, &metric.doc)).collect()
}

fn graphed() -> Vec<CompletionCandidate> {
    let queue = ["queue_depth", "queue_peak", "queue_oldest"];
    measured().into_iter().chain(plain(queue)).collect()
}

fn checked() -> Vec<CompletionCandidate> {
    measured().into_iter().chain(plain(["lag"])).collect()
}

fn columns() -> Vec<CompletionCandidate> {
    let columns = COLUMNS.iter().map(|column| meaning(column.name, column.doc));
    columns.chain([meaning(DATE.0, DATE.1)]).collect()
}

fn fields() -> Vec<CompletionCandidate> {
    let more = DIMENSIONS.iter().filter(|of| COLUMNS.iter().all(|column| column.name != of.name));
    columns().into_iter().chain(more.map(|of| meaning(of.name, of.doc))).collect()
}

fn formats() -> Vec<CompletionCandidate> {
    plain(Format::ALL.iter().map(|format| format.name()))
}

fn records() -> Vec<CompletionCandidate> {
    plain(Record::ALL.iter().map(|record| record.as_str()))
}

fn zones() -> Vec<CompletionCandidate> {
    plain(Zone::names())
}

fn moments() -> Vec<CompletionCandidate> {
    plain(MOMENTS)
}

fn baselines() -> Vec<CompletionCandidate> {
    plain(["same-hour/7d", "previous"])
}

fn plain<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<CompletionCandidate> {
    names.into_iter().map(|name| CompletionCandidate::new(name.to_owned())).collect()
}

fn meaning(name: &str, doc: &str) -> CompletionCandidate {
    CompletionCandidate::new(name.to_owned()).help(Some(StyledStr::from(doc.to_owned())))
}
