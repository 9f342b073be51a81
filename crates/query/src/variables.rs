//! The variables of the engine that a statement reads: names of fields and expressions, which are bound.

use std::collections::BTreeSet;

use duckdb::Connection;

use crate::error::{Error, Result};
use crate::fields::{Variable, variables_in};
use crate::query::quoted;

/// Sets the variables that `sql` reads and that are not `known`, which they are then.
///
/// # Errors
/// [`Error::BadValue`] for an expression that is none.
pub(crate) fn set(engine: &Connection, known: &mut BTreeSet<String>, sql: &str) -> Result<()> {
    for Variable { name, value, is_pattern, of } in variables_in(sql) {
        if known.contains(&name) {
            continue;
        }
        // A name of ours, and a value that is bound.
        engine.execute(&format!("set variable {name} = $1"), [&value])?;
        if is_pattern {
            let sql = format!("select regexp_extract('', getvariable('{name}'), 1)");
            let tried = engine.query_row(&sql, [], |row| row.get::<_, String>(0));
            tried.map_err(|error| Error::BadValue {
                name: format!("dimensions.{of}"),
                value: value.clone(),
                expected: format!("a regular expression with a group: {error}"),
            })?;
        }
        known.insert(name);
    }
    Ok(())
}

/// What a script must set before `sql`.
pub(crate) fn script(sql: &str) -> String {
    let set = |of: Variable| format!("set variable {} = {};\n", of.name, quoted(&of.value));
    variables_in(sql).into_iter().map(set).collect()
}

#[cfg(test)]
mod tests {
    use super::script;
    use crate::dimension::{DIMENSIONS, dimension};

    #[test]
    fn a_script_sets_what_it_reads_with_its_value_as_a_literal() {
        let sql = dimension("header_X-It").expect("a field").sql;
        let set = script(sql);
        assert!(set.starts_with("set variable pmtaq_") && set.ends_with(" = 'header_X-It';\n"));
        assert!(DIMENSIONS.iter().all(|known| script(known.sql).is_empty()));
    }
}
