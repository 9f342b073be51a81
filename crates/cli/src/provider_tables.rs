//! Who runs which mailboxes: the table that comes with pmtaq, and what the user's tables say otherwise.

use std::path::{Path, PathBuf};

use pmtaq_schema::provider::Providers;

use crate::failure::{Failure, Result};
use crate::settings::{Places, read};

/// The provider table that comes with pmtaq and what the user's tables say otherwise; with the
/// number of lines of each of these.
///
/// # Errors
/// [`Failure::usage`] with file and line.
pub(crate) fn providers(places: &Places) -> Result<(Providers, Vec<(PathBuf, usize)>)> {
    let (mut providers, mut tables) = (Providers::builtin(), Vec::new());
    for path in places.provider_tables() {
        if let Some(text) = read(&path)? {
            let lines = extend_providers(&mut providers, &path, &text)?;
            tables.push((path, lines));
        }
    }
    Ok((providers, tables))
}

/// Adds what a table of providers says, which is the text of `path`; returns how many lines it has.
///
/// # Errors
/// [`Failure::usage`] with file and line.
pub(crate) fn extend_providers(
    providers: &mut Providers,
    path: &Path,
    text: &str,
) -> Result<usize> {
    providers.extend(text).map_err(|bad| {
        let what = bad.to_string();
        let what = what.split_once(": ").map_or(what.as_str(), |(_, what)| what);
        Failure::usage(format!("{}:{}: {what}", path.display(), bad.line))
    })
}
