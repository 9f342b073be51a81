//! Which views the SQL of a user needs. Creates none itself.
//!
//! The engine takes longer to create all of them than for all else that it does to begin, and most
//! statements name none or one.

use crate::lex::{is_said, tokens};
use crate::prelude;

/// What shows the catalog, and so all views.
const CATALOG: [&str; 5] = ["duckdb_", "information_schema", "pg_", "pragma", "sqlite_"];

/// The views of the prelude that are not there yet.
#[derive(Debug, Default)]
pub(crate) struct UserViews {
    /// None until a user's SQL is asked: statements of ours bring their own.
    missing: Option<Vec<(&'static str, &'static str)>>,
}

impl UserViews {
    /// The statements that create those views that `sql` may name: also in a text, which may become
    /// a name, or in a comment.
    pub(crate) fn named_in(&mut self, sql: &str) -> String {
        let missing = self.missing.get_or_insert_with(|| {
            prelude::views().into_iter().map(|(name, _, body)| (name, body)).collect()
        });
        let mut text = sql.to_ascii_lowercase();
        let shows_catalog = shows_catalog(&text);
        let mut named = Vec::new();
        // A view reads those before it.
        for (name, body) in missing.iter().rev() {
            if shows_catalog || text.contains(name) {
                named.push(*name);
                text.push_str(body);
            }
        }
        create(missing.extract_if(.., |(name, _)| named.contains(name)))
    }

    /// The statements that create those that are there, again: over records that have more columns.
    pub(crate) fn created(&self) -> String {
        let missing = |name: &str| {
            self.missing.as_ref().is_none_or(|missing| missing.iter().any(|(of, _)| *of == name))
        };
        let views = prelude::views().into_iter().map(|(name, _, body)| (name, body));
        create(views.filter(|(name, _)| !missing(name)))
    }

    /// The statements that create all others: for a statement that fails, since its name may be put
    /// together, or be misspelt, and the engine tells the nearest.
    pub(crate) fn others(&mut self) -> String {
        create(self.missing.iter_mut().flat_map(std::mem::take))
    }
}

fn create<'v>(views: impl Iterator<Item = (&'v str, &'v str)>) -> String {
    views.map(|(name, body)| format!("create or replace view {name} as {body};\n")).collect()
}

/// Whether a statement, in lower case, may list what there is.
fn shows_catalog(sql: &str) -> bool {
    let words: Vec<&str> = tokens(sql).filter(|token| is_said(token)).collect();
    let lists = |(at, word): (usize, &&str)| match *word {
        "show" | "describe" => true,
        // Elsewhere it is an order.
        "desc" => at == 0 || words[at - 1] == "(",
        _ => false,
    };
    CATALOG.iter().any(|name| sql.contains(name)) || words.iter().enumerate().any(lists)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named_in(sql: &str) -> Vec<String> {
        let created = UserViews::default().named_in(sql);
        let names = created.split("create or replace view ").skip(1);
        names.map(|rest| rest.split(' ').next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn a_statement_gets_the_views_that_it_may_name_and_those_that_they_read() {
        assert_eq!(named_in("select count(*) from records order by 1 desc"), Vec::<String>::new());
        assert_eq!(named_in("from Bounces b, \"attempts\""), ["bounces", "attempts"]);
        assert_eq!(named_in("from returns"), ["deliveries", "returns"]);
        assert_eq!(named_in("from query_table('complaints')"), ["complaints"]);
    }

    #[test]
    fn what_lists_views_sees_all_of_them() {
        for sql in [
            "show tables",
            "from (describe)",
            "desc",
            "from (desc)",
            "from duckdb_views()",
            "from information_schema.tables",
            "from pg_class",
            "from sqlite_master",
        ] {
            assert_eq!(named_in(sql).len(), prelude::views().len(), "{sql}");
        }
    }

    #[test]
    fn each_view_is_created_once() {
        let mut views = UserViews::default();
        assert_eq!(views.others(), "", "nobody asked");
        assert_eq!(views.created(), "");
        assert!(
            views.named_in("from bounces").contains("create or replace view bounces as select")
        );
        assert_eq!(views.named_in("from bounces"), "");
        let created = views.created();
        assert!(
            created.starts_with("create or replace view bounces as")
                && !created.contains("returns")
        );
        let others = views.others();
        assert!(!others.contains("view bounces as") && others.contains("view returns as"));
        assert_eq!(views.others(), "");
    }
}
