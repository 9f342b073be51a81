//! The user's own reports: files of SQL that become commands. A broken one is a warning and not a
//! command; what a good one does is decided by the same rules as for those of pmtaq.

use std::path::Path;

use clap::{Command, CommandFactory};
use pmtaq_query::{Catalog, Report};

use crate::args::{Cli, ReportArgs};
use crate::failure::{Failure, Result};
use crate::settings::{Places, read};

/// All reports, and a warning for each file that holds none.
pub(crate) fn catalog(places: &Places) -> Result<(Catalog, Vec<String>)> {
    let (mut catalog, mut warnings) = (Catalog::builtin()?, Vec::new());
    match places.report_files() {
        Ok(files) => {
            for file in files {
                if let Err(what) = add(&mut catalog, &file) {
                    warnings.push(what);
                }
            }
        }
        Err(failure) => warnings.push(failure.message().to_owned()),
    }
    Ok((catalog, warnings))
}

fn add(catalog: &mut Catalog, file: &Path) -> std::result::Result<(), String> {
    let text = read(file).map_err(|failure| failure.message().to_owned())?.unwrap_or_default();
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let reports = Report::parse(&stem, &text).map_err(|error| match error {
        pmtaq_query::Error::BadReport { line, what, .. } => {
            format!("{}:{line}: {what}", file.display())
        }
        other => format!("{}: {other}", file.display()),
    })?;
    let line = |what: &str| {
        let found = text.lines().position(|line| line.contains(what));
        format!("{}:{}", file.display(), found.unwrap_or(0) + 1)
    };
    for report in &reports {
        if let Some((word, what)) = clash(catalog, report) {
            return Err(format!("{}: {what}", line(&word)));
        }
    }
    for report in reports {
        catalog.add(file, report);
    }
    Ok(())
}

/// Why a report cannot be a command: the word that is to blame, and what is wrong with it.
fn clash(catalog: &Catalog, report: &Report) -> Option<(String, String)> {
    let name = &report.name;
    let words: Vec<&str> = name.split(' ').collect();
    let is_word = |word: &&str| {
        let bytes = word.as_bytes();
        bytes.first().is_some_and(u8::is_ascii_lowercase)
            && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
    };
    if words.len() > 2 || !words.iter().all(is_word) {
        let what = "the name of a report is one word or two, of small letters, digits and -";
        return Some((name.clone(), what.to_owned()));
    }
    let command = Cli::command();
    if words[0] == "help" || command.find_subcommand(words[0]).is_some() {
        return Some((name.clone(), format!("`{}` is a command of pmtaq", words[0])));
    }
    let group_of = |other: &Report| other.name.split_once(' ').map(|(group, _)| group.to_owned());
    let is_both = catalog.iter().any(|other| {
        group_of(other).as_ref() == Some(name) || group_of(report).as_ref() == Some(&other.name)
    });
    if is_both {
        return Some((name.clone(), format!("`{}` cannot be a report and a group", words[0])));
    }
    let shared = ReportArgs::augment(command);
    let mut seen: Vec<&str> = vec!["help", "version"];
    seen.extend(shared.get_arguments().map(|arg| arg.get_id().as_str()));
    seen.extend(shared.get_arguments().filter_map(clap::Arg::get_long));
    for param in &report.params {
        if seen.contains(&param.name.as_str()) {
            let what =
                format!("every report has `--{}` already, or this one has it twice", param.name);
            return Some((param.name.clone(), what));
        }
        if !is_word(&param.name.as_str()) {
            let what = format!("`{}` is not a name for an option", param.name);
            return Some((param.name.clone(), what));
        }
        seen.push(&param.name);
    }
    None
}

/// `command`, in which the help of the user's reports says whose they are.
pub(crate) fn marked(command: Command, catalog: &Catalog) -> Command {
    let own = catalog.iter().filter_map(|report| catalog.own(&report.name));
    own.fold(command, |command, own| {
        let instead = if own.replaces { ", instead of the one of pmtaq" } else { "" };
        let text = format!("Your own report{instead}:\n  {}", own.file.display());
        let mark = |command: Command| command.after_help(text);
        match own.name.split_once(' ') {
            None => command.mut_subcommand(&own.name, mark),
            Some((group, name)) => {
                command.mut_subcommand(group, |group| group.mut_subcommand(name, mark))
            }
        }
    })
}

/// Adds to a failure of a user's report which file it is.
pub(crate) fn blamed(failure: Failure, file: &Path) -> Failure {
    failure.hint(format!("the report is {}", file.display()))
}
