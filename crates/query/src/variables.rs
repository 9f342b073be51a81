//! The variables of the engine that a statement reads: names of fields and expressions, which are bound.

use crate::error::{Error, Result};
use crate::fields::{Variable, variables_in};
use crate::session::Session;

impl Session {
    /// Sets the variables that `sql` reads.
    ///
    /// # Errors
    /// [`Error::BadValue`] for an expression that is none.
    pub(crate) fn set_variables(&self, sql: &str) -> Result<()> {
        for Variable { name, value, is_pattern, of } in variables_in(sql) {
            if self.variables.borrow().contains(&name) {
                continue;
            }
            let engine = self.engine();
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
            self.variables.borrow_mut().insert(name);
        }
        Ok(())
    }
}
