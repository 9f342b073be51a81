//! The filters of an alert as arguments, for the command that shows more. Runs nothing.

use pmtaq_alert::{Rule, Seen};
use pmtaq_query::{DIMENSIONS, dimension, glob};

use crate::args;
use crate::command_line::equals;

/// The filters of a rule and of a group as arguments of the command line.
pub(super) fn arguments(rule: &Rule, seen: &Seen) -> args::Selection {
    let is_field = |name: &str| DIMENSIONS.iter().all(|known| known.name != name);
    let mut args = args::Selection::default();
    let mut conditions: Vec<String> = rule.condition.iter().map(|sql| format!("({sql})")).collect();
    for (name, value) in &seen.labels {
        let value = (value != "(none)").then_some(value.as_str());
        // A flag would take its `*` for any text.
        match (args.filters.values(name), value.filter(|value| !value.contains('*'))) {
            (Some(flag), Some(value)) => flag.push(value.to_owned()),
            // No condition in SQL names a field; which records have none, no filter can say.
            (None, Some(value)) if is_field(name) => {
                args.others.push((name.clone(), value.to_owned()));
            }
            (None, None) if is_field(name) => {}
            _ => conditions.push(equals(name, value)),
        }
    }
    for (name, values) in &rule.only {
        let name = dimension(name).map_or(name.as_str(), |known| known.name);
        // The group has one of these values already.
        if seen.labels.iter().any(|(label, _)| label == name) {
            continue;
        }
        if let Some(flag) = args.filters.values(name) {
            flag.extend(values.iter().cloned());
            continue;
        }
        if is_field(name) {
            args.others.extend(values.iter().map(|value| (name.to_owned(), value.clone())));
            continue;
        }
        let any: Vec<String> = values.iter().map(|value| matches(name, value)).collect();
        conditions.push(format!("({})", any.join(" or ")));
    }
    args.condition = (!conditions.is_empty()).then(|| conditions.join(" and "));
    args
}

/// The condition that a dimension has a value, in which `*` stands for any text.
fn matches(name: &str, value: &str) -> String {
    if value.contains('*') {
        format!("{name} glob '{}'", glob(value).replace('\'', "''"))
    } else {
        equals(name, Some(value))
    }
}
