//! The commands by what they are for, as `pmtaq --help` shows them. Says nothing of them that clap does not
//! know.

use std::fmt::Write as _;

use clap::Command;
use pmtaq_query::Catalog;

/// What commands are for. All that stand in none of the lists are reports.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Set up", &["ingest", "doctor", "config", "connect", "delta", "push", "completions", "man"]),
    (
        "Ask",
        &[
            "why", "report", "search", "trace", "explain", "pivot", "graph", "sql", "export",
            "paths",
        ],
    ),
    ("Reports", &[]),
    ("Watch", &["top", "check", "alert"]),
    ("Keep", &["status", "verify", "compact", "backup", "prune", "forget"]),
    ("Look up names", &["reports", "metrics", "dimensions", "columns", "help"]),
];

/// The layout of the help of `command`, which has the reports of `catalog`.
pub(super) fn template(command: &Command, catalog: &Catalog) -> String {
    let own: Vec<&str> = catalog
        .iter()
        .filter(|report| catalog.own(&report.name).is_some())
        .filter_map(|report| report.name.split(' ').next())
        .collect();
    let is_listed = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    let reports = command.get_subcommands().map(Command::get_name);
    let reports: Vec<&str> = reports.filter(|name| !is_listed(name)).collect();
    let (own, reports): (Vec<&str>, Vec<&str>) =
        reports.into_iter().partition(|name| own.contains(name));
    let header = command.get_styles().get_header();
    let literal = command.get_styles().get_literal();
    let mut text = "{before-help}{about}\n\n{usage-heading} {usage}\n".to_owned();
    let groups = GROUPS.iter().map(|(title, names)| match names {
        [] => (*title, &reports[..]),
        names => (*title, *names),
    });
    for (title, names) in groups.chain([("Your own reports", &own[..])]) {
        if names.is_empty() {
            continue;
        }
        let _ = write!(text, "\n{header}{title}:{header:#}\n");
        for name in names {
            let about = match command.find_subcommand(name).and_then(Command::get_about) {
                Some(about) => about.to_string(),
                None => "Print this message or the help of a command".to_owned(),
            };
            let _ = writeln!(text, "  {literal}{name:<14}{literal:#}  {about}");
        }
    }
    text + "\n" + &format!("{header}Options:{header:#}") + "\n{options}{after-help}"
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn every_command_stands_in_one_group() {
        let command = Cli::command();
        for name in command.get_subcommands().map(Command::get_name) {
            let groups = GROUPS.iter().filter(|(_, names)| names.contains(&name)).count();
            assert_eq!(groups, 1, "{name}");
        }
        let all = GROUPS.iter().flat_map(|(_, names)| *names).filter(|name| **name != "help");
        for name in all {
            assert!(command.find_subcommand(name).is_some(), "{name} is no command");
        }
    }
}
