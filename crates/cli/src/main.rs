//! The program `pmtaq`: hands the command line to [`run`] and ends with the exit code it says.

mod run;

mod commands;
mod complete;

mod asked;
mod bucket;
mod cluster;
mod privacy;
mod rotation;
mod show;

mod context;
mod left_out;
mod output;
mod own;
mod provider_tables;
mod settings;
mod skew;
mod spill;
mod trust;
mod ui;

mod args;
mod command_line;
mod versus;
mod window;

mod exit;
mod failure;

/// Ingest builds and drops batches of tens of megabytes; the system's allocator gives their pages
/// back each time, and an eighth of the time went into getting them again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    run::run().into()
}
