//! The rules file: where it is, and whether its names are those of metrics and dimensions.

use std::path::PathBuf;

use pmtaq_alert::{Rule, Rules};

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::{args, settings};

/// Reads the rules file, the one that is named or the first that there is.
pub(super) fn read(context: &Context, file: &args::RulesFile) -> Result<(Rules, PathBuf)> {
    let places: Vec<PathBuf> = match &file.rules {
        Some(path) => vec![path.clone()],
        None => context.places.alert_rules().collect(),
    };
    for path in &places {
        if let Some(text) = settings::read(path)? {
            let rules = Rules::parse(&text)
                .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
            for rule in &rules.rules {
                check_names(rule).map_err(|failure| {
                    let what = failure.message();
                    let text = format!("{}: rule `{}`: {what}", path.display(), rule.name);
                    Failure::usage(text)
                })?;
            }
            return Ok((rules, path.clone()));
        }
    }
    let places: Vec<String> = places.iter().map(|path| path.display().to_string()).collect();
    Err(Failure::usage(format!("there are no rules: no file {}", places.join(", no ")))
        .hint("packaging/alerts/starter.toml is one to begin with; docs/alerting.md explains it"))
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
