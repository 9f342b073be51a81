//! `pmtaq config`: what is set, what set it, and where one sets it.

mod share;

use std::fmt::Write as _;

use clap::{ArgMatches, Command};
use pmtaq_query::Catalog;

use crate::args::ConfigWhat;
use crate::commands::lists::list;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::provider_tables::providers;
use crate::settings::{KEYS, RECORDS, SaidDimension};
use crate::show::print;

/// The file to begin with.
const EXAMPLE: &str = include_str!("../../../../packaging/pmtaq.toml");

pub(crate) fn run(
    context: &Context,
    what: &ConfigWhat,
    command: Command,
    matches: &ArgMatches,
    catalog: &Catalog,
) -> Result<Exit> {
    match what {
        ConfigWhat::Show => show(context, command, matches, catalog),
        ConfigWhat::Path => path(context),
        ConfigWhat::Example => print(context, EXAMPLE),
        ConfigWhat::Share(args) => share::run(context, args),
    }
}

fn show(
    context: &Context,
    command: Command,
    matches: &ArgMatches,
    catalog: &Catalog,
) -> Result<Exit> {
    let mut rows = Vec::new();
    for (index, key) in KEYS.iter().enumerate() {
        // What is set for another command is what that command would find.
        let other = key.command().map(|name| -> Result<ArgMatches> {
            let command = command
                .clone()
                .mut_subcommand(name, |command| command.mut_args(|arg| arg.required(false)));
            let matches = command.try_get_matches_from(["pmtaq", name]);
            let wrong = |error: clap::Error| Failure::usage(error.to_string());
            Ok(matches.map_err(wrong)?.remove_subcommand().expect("it was named").1)
        });
        let other = other.transpose()?;
        let (value, origin) =
            context.settings.value_and_origin(index, other.as_ref().unwrap_or(matches), &command);
        rows.push([key.name.to_owned(), value, origin]);
    }
    if let (records, Some(origin)) = &context.settings.records {
        rows.push([RECORDS.to_owned(), records.to_string(), origin.to_string()]);
    }
    for (category, class, origin) in &context.settings.class_origins {
        let name = format!("bounce-classes.{category}");
        rows.push([name, class.as_str().to_owned(), origin.to_string()]);
    }
    for (name, value) in context.settings.cluster.shown() {
        let mut origins = context.settings.cluster_origins.iter().rev();
        let origin = origins.find(|(of, _)| of == name).map(|(_, origin)| origin.to_string());
        rows.push([name.to_owned(), value, origin.unwrap_or_default()]);
    }
    for SaidDimension { dimension, is_kept, origin } in context.settings.dimensions.iter() {
        let kept = if *is_kept { ", kept in hourly" } else { "" };
        let value = format!("{} by {}{kept}", dimension.field, dimension.pattern);
        rows.push([format!("dimensions.{}", dimension.name), value, origin.to_string()]);
    }
    rows.push(["providers".to_owned(), "built in".to_owned(), "default".to_owned()]);
    // Also when the bucket cannot be asked what its machines share.
    let places = context.places_of_store().unwrap_or(&context.places);
    for (path, lines) in providers(places)?.1 {
        let value =
            if lines == 1 { "1 line over it".to_owned() } else { format!("{lines} lines over it") };
        rows.push(["providers".to_owned(), value, path.display().to_string()]);
    }
    for own in catalog.iter().filter_map(|report| catalog.own(&report.name)) {
        let mut value = own.name.clone();
        if own.replaces {
            value.push_str(", instead of the one of pmtaq");
        }
        rows.push(["report".to_owned(), value, own.file.display().to_string()]);
    }
    list(context, ["setting", "value", "set_by"], rows)
}

fn path(context: &Context) -> Result<Exit> {
    let places = &context.places;
    let reports = places.folders.iter().map(|folder| folder.join("reports"));
    let keys = places.privacy_keys();
    let all =
        places.files.iter().cloned().chain(places.provider_tables()).chain(keys).chain(reports);
    let mut text = String::new();
    for path in all {
        let absent = if path.exists() { "" } else { "  (absent)" };
        let _ = writeln!(text, "{}{absent}", path.display());
    }
    print(context, &text)
}
