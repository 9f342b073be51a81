//! The help as manual pages, one a command. All from the command line as clap knows it.

use std::io::Write as _;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::args;
use crate::commands::pages;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::show::print;
use crate::ui;

const SOURCE: &str = concat!("pmtaq ", env!("CARGO_PKG_VERSION"));

pub(crate) fn run(context: &Context, args: &args::Man, command: Command) -> Result<Exit> {
    let Some(dir) = &args.dir else { return print(context, &pages::markdown(command)) };
    let cannot = |error: std::io::Error| {
        Failure::usage(format!("cannot write to {}: {error}", dir.display()))
    };
    std::fs::create_dir_all(dir).map_err(cannot)?;
    let mut command = command;
    command.build();
    let pages = write(&without_help(command), dir).map_err(cannot)?;
    ui::note(&context.global, &format!("{pages} pages in {}", dir.display()));
    Ok(Exit::Done)
}

/// `pmtaq help why` shows what `pmtaq why --help` does: it is worth no page.
fn without_help(command: Command) -> Command {
    if command.get_name() == "help" {
        command.hide(true)
    } else {
        command.mut_subcommands(without_help)
    }
}

/// Writes the page of a built command and of those below it; says how many.
fn write(command: &Command, dir: &Path) -> std::io::Result<usize> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let man = Man::new(command.clone()).title(name.to_uppercase()).source(SOURCE).manual("pmtaq");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    section(&mut page, "SYNOPSIS", &[usage(command)])?;
    man.render_description_section(&mut page)?;
    if let Some(examples) = command.get_before_help() {
        let examples = examples.to_string();
        let lines = examples.lines().skip(1).map(|line| line.trim_start().to_owned());
        section(&mut page, "EXAMPLES", &lines.collect::<Vec<_>>())?;
    }
    man.render_options_section(&mut page)?;
    let below: Vec<&Command> =
        command.get_subcommands().filter(|command| !command.is_hide_set()).collect();
    if !below.is_empty() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(more) = command.get_after_help() {
        section(&mut page, "NOTES", &[more.to_string()])?;
    }
    std::fs::File::create(dir.join(format!("{name}.1")))?.write_all(&page)?;
    below.into_iter().try_fold(1, |pages, command| Ok(pages + write(command, dir)?))
}

/// A section of lines that are shown as they are.
fn section(page: &mut Vec<u8>, title: &str, lines: &[String]) -> std::io::Result<()> {
    let mut roff = Roff::default();
    roff.control("SH", [title]);
    for (n, line) in lines.iter().enumerate() {
        if n > 0 {
            roff.control("br", []);
        }
        roff.text([roman(line.as_str())]);
    }
    roff.to_writer(page)
}

/// How the command is called, without its options: these have a section.
fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage: ").split_whitespace().collect::<Vec<_>>().join(" ")
}
