//! The program `pmtaq`: hands the command line to [`run`] and ends with the exit code it says.

mod rotation;
mod run;

mod args;
mod own;
mod privacy;
mod settings;
mod window;

mod commands;

mod line;
mod show;
mod ui;

mod exit;
mod failure;

/// Ingest builds and drops batches of tens of megabytes; the system's allocator gives their pages
/// back each time, and an eighth of the time went into getting them again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    run::run().into()
}
