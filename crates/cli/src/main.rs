//! The program `pmtaq`: hands the command line to [`run`] and ends with the exit code it says.

mod run;

mod args;
mod window;

mod commands;

mod show;
mod ui;

mod exit;
mod failure;

fn main() -> std::process::ExitCode {
    run::run().into()
}
