//! The rules file: where it is, and whether its names are those of metrics and dimensions.

use std::path::{Path, PathBuf};

use pmtaq_alert::{Rule, Rules};

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::{args, settings};

/// Reads the rules file, the one that is named or the first that there is.
pub(super) fn read(context: &Context, file: &args::RulesFile) -> Result<(Rules, PathBuf)> {
    let places: Vec<PathBuf> = match &file.rules {
        Some(path) => vec![path.clone()],
        None => context.places_of_store()?.alert_rules().collect(),
    };
    for path in &places {
        if let Some(text) = settings::read(path)? {
            let rules = parse(path, &text)?;
            return Ok((rules, path.clone()));
        }
    }
    let places: Vec<String> = places.iter().map(|path| path.display().to_string()).collect();
    Err(Failure::usage(format!("there are no rules: no file {}", places.join(", no ")))
        .hint("packaging/alerts/starter.toml is one to begin with; docs/alerting.md explains it"))
}

/// The rules that a text of `path` says.
///
/// # Errors
/// [`Failure::usage`] that names the file, and the line or the rule.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Rules> {
    let rules = Rules::parse(text)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    for rule in &rules.rules {
        check_names(rule).map_err(|failure| {
            let what = failure.message();
            Failure::usage(format!("{}: rule `{}`: {what}", path.display(), rule.name))
        })?;
    }
    Ok(rules)
}

fn check_names(rule: &Rule) -> Result<()> {
    if let Some(name) = &rule.metric {
        pmtaq_query::watched(name)?;
    }
    for name in rule.by.iter().chain(rule.only.keys()) {
        pmtaq_query::dimension(name)?;
    }
    Ok(())
}
