//! The help in other forms: completions, docs/cli.md. All from the command line as clap knows it; no option is
//! described here.

use std::fmt::Write as _;

use clap::{Arg, Command};

use crate::args::{ReportArgs, Shell};
use crate::complete;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Result;
use crate::show::print;

pub(crate) fn completions(context: &Context, shell: Shell) -> Result<Exit> {
    print(context, complete::script(shell))
}

/// One page about all commands.
pub(crate) fn markdown(mut command: Command) -> String {
    command.build();
    let mut page = "# The command line\n\nMade by `pmtaq man --markdown`; `UPDATE=1 cargo test` rewrites it.\n".to_owned();
    let examples = command.get_before_help().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(page, "\n```\n{examples}\n```");
    let _ = writeln!(
        page,
        "\n{}.",
        command.get_after_help().map(ToString::to_string).unwrap_or_default()
    );
    let _ = writeln!(page, "\n## Options of every command\n");
    table(&mut page, command.get_arguments().filter(|arg| arg.is_global_set()));
    let _ = writeln!(page, "\n## Options of every report\n");
    let shared = ReportArgs::augment(Command::new("report"));
    table(&mut page, shared.get_arguments());
    let shared: Vec<&str> = shared.get_arguments().map(|arg| arg.get_id().as_str()).collect();
    for command in command.get_subcommands() {
        section(&mut page, command, &shared, "pmtaq");
    }
    page
}

fn section(page: &mut String, command: &Command, shared: &[&str], parent: &str) {
    if command.get_name() == "help" {
        return;
    }
    let name = format!("{parent} {}", command.get_name());
    let _ = writeln!(page, "\n## {name}");
    let about = command.get_long_about().or(command.get_about());
    if let Some(about) = about {
        let _ = writeln!(page, "\n{about}");
    }
    if let Some(examples) = command.get_before_help() {
        let _ = writeln!(page, "\n```\n{examples}\n```");
    }
    let own = |arg: &&Arg| !arg.is_global_set() && !is_of_clap(arg);
    let has = |id: &str| command.get_arguments().any(|arg| arg.get_id() == id);
    // Only what is answered by metrics and dimensions has two tables to choose from.
    let is_report = shared.iter().all(|id| *id == "from" || has(id));
    let but = if has("from") { "" } else { " but `--from`" };
    let rest: Vec<&Arg> = command
        .get_arguments()
        .filter(own)
        .filter(|arg| !is_report || !shared.contains(&arg.get_id().as_str()))
        .collect();
    if is_report {
        let _ = writeln!(
            page,
            "\nIt takes the options of every report{but}{}",
            if rest.is_empty() { "." } else { " and these:" }
        );
    }
    if !rest.is_empty() {
        page.push('\n');
        table(page, rest.into_iter());
    }
    if let Some(more) = command.get_after_help() {
        let _ = writeln!(page, "\n{more}");
    }
    for command in command.get_subcommands() {
        section(page, command, shared, &name);
    }
}

fn is_of_clap(arg: &Arg) -> bool {
    matches!(arg.get_id().as_str(), "help" | "version")
}

fn table<'a>(page: &mut String, args: impl Iterator<Item = &'a Arg>) {
    page.push_str("| option | meaning | default |\n|---|---|---|\n");
    for arg in args.filter(|arg| !arg.is_hide_set() && !is_of_clap(arg)) {
        let value = match arg.get_value_names() {
            Some([name, ..]) if arg.get_action().takes_values() => format!(" {name}"),
            _ => String::new(),
        };
        let option = match arg.get_long() {
            Some(long) => format!("--{long}{value}"),
            None => value.trim().to_owned(),
        };
        let mut meaning = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let values: Vec<String> =
            arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        if !values.is_empty() && arg.get_action().takes_values() && !meaning.contains(&values[0]) {
            let _ = write!(meaning, ": {}", values.join(", "));
        }
        if let Some(name) = arg.get_env() {
            let _ = write!(meaning, " (`{}`)", name.to_string_lossy());
        }
        let default: Vec<_> = if arg.get_action().takes_values() {
            arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect()
        } else {
            Vec::new()
        };
        let row = [format!("`{option}`"), meaning, default.join(",")];
        let row = row.map(|cell| cell.replace('|', "\\|").replace('\n', " "));
        let _ = writeln!(page, "| {} |", row.join(" | "));
    }
}
