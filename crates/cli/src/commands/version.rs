//! What `--version` says: all that whoever hears of a problem wants to know of the program.

use std::fmt::Write as _;

/// The version, what it was built from, the engine as it was loaded, and the format of stores.
pub(crate) fn text() -> String {
    let mut text = format!("pmtaq {}\n", env!("CARGO_PKG_VERSION"));
    // A build knows of no repository: who packs it says which commit it is.
    if let Some(commit) = option_env!("PMTAQ_COMMIT") {
        let _ = writeln!(text, "commit  {commit}");
    }
    let _ = writeln!(text, "target  {}", env!("PMTAQ_TARGET"));
    let engine = pmtaq_query::engine().unwrap_or_else(|error| format!("does not start: {error}"));
    let _ = writeln!(text, "engine  {engine}");
    let (folder, bucket) = (pmtaq_store::FORMAT, pmtaq_store::FORMAT_OF_BUCKETS);
    let _ =
        writeln!(text, "format  {folder} of the store, {bucket} in a bucket, and all older ones");
    text
}
