//! What a page asks of the store.

use clap::FromArgMatches as _;
use pmtaq_query::Catalog;

use super::*;
use crate::args::{Cli, Command};
use crate::commands::ingest;
use crate::settings::{Places, Settings};

/// The context and the command of a command line about `store`.
fn parsed(store: &Path, line: &[&str]) -> (Context, Command) {
    let catalog = Catalog::builtin().expect("reports");
    let store = store.to_str().expect("a path");
    let about = ["--quiet", "--store", store];
    let line = ["pmtaq"].iter().chain(line).chain(&about);
    let matches = args::command(&catalog).try_get_matches_from(line).expect("a command line");
    let cli = Cli::from_arg_matches(&matches).expect("a command");
    let places = Places { files: Vec::new(), folders: Vec::new() };
    (Context::new(cli.global, Settings::default(), places).expect("a context"), cli.command)
}

#[test]
fn a_page_runs_no_statement_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/acct");
    let (context, command) = parsed(&store, &["ingest", "--host", "mta", samples]);
    let Command::Ingest(args) = command else { panic!("`ingest`") };
    ingest::run(&context, args).expect("records");
    for (since, until) in [("2026-03-02", "2026-03-03"), ("2026-03-01", "2026-03-04")] {
        let line = ["report", "-", "--since", since, "--until", until];
        let (context, command) = parsed(&store, &line);
        let Command::Report(args) = command else { panic!("`report`") };
        let window = asked(&context, &args).expect("a window");
        let mut desk = Desk::open(&context, &args.selection, window, args.vs).expect("a session");
        let page = page(&mut desk, &args).expect("a page");
        assert!(!page.problems.is_empty(), "it looked for their causes");
        assert_eq!(desk.ran_again(), Vec::<String>::new(), "{since}");
    }
}
