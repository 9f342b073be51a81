//! A session that knows replies: what it looks up, when, and the views that it makes again.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pmtaq_schema::columns::HOURLY;
use pmtaq_schema::template::folded;
use pmtaq_schema::{COLUMNS, explain};

use crate::error::Result;
use crate::hours::hours_view;
use crate::prelude;
use crate::query::{Query, quoted};
use crate::replies::{Replies, TABLE, names_replies, names_templates, read_views, rows};
use crate::session::Session;
use crate::setup::{rows_of, source};
use crate::variables;

impl Session {
    /// Gives the views what `sql` names of replies, and nothing else of them: each record would be looked up for it.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when the engine cannot read the templates.
    pub(crate) fn read_replies(&self, sql: &str) -> Result<()> {
        variables::set(self.engine(), &mut self.variables.borrow_mut(), sql)?;
        let mut wanted =
            Replies { has_columns: names_replies(sql), has_folded: names_templates(sql) };
        if wanted != Replies::default() {
            wanted.has_folded &= self.know_replies(wanted.has_columns)?.has_folded;
        }
        if wanted != self.replies.get() {
            let views = self.reply_views(wanted, &self.user_views.borrow().created());
            self.views()?.execute_batch(&views)?;
            self.replies.set(wanted);
        }
        Ok(())
    }

    /// Looks up what is known of the templates of the session, their columns if these are wanted: what the engine then
    /// has of them.
    fn know_replies(&self, wants_columns: bool) -> Result<Replies> {
        let known = self.known_replies.get();
        if let Some(known) = known.filter(|known| known.has_columns || !wants_columns) {
            return Ok(known);
        }
        let engine = self.views()?;
        let templates = self.templates()?;
        let shown = shown(&templates);
        let known = Replies { has_columns: wants_columns, has_folded: !shown.is_empty() };
        if known != Replies::default() {
            engine.execute_batch(TABLE)?;
            let mut table = engine.appender("known_replies")?;
            for row in rows(&templates, &shown, known) {
                table.append_row(row)?;
            }
            table.flush()?;
        }
        self.known_replies.set(Some(known));
        Ok(known)
    }

    /// The templates of all parts of the session, whatever window it is turned to.
    fn templates(&self) -> Result<Vec<String>> {
        let (opened, columns) =
            if self.has_hours { (&self.opened[1], HOURLY) } else { (&self.opened[0], COLUMNS) };
        let parts: Vec<_> = opened.parts().collect();
        let parts = source(&opened.scanned(&parts), rows_of(&parts), columns);
        let sql = format!("select distinct template from {parts} where template is not null");
        if self.elsewhere.is_some() && !opened.is_here() {
            let query = Query { sql, as_stored: true, ..Query::default() };
            return Ok(self.answer(&query)?.texts("template")?.into_iter().flatten().collect());
        }
        opened.bring_all()?;
        let mut statement = self.views()?.prepare(&sql)?;
        let templates = statement.query_map([], |row| row.get(0))?;
        Ok(templates.collect::<std::result::Result<_, _>>()?)
    }

    /// The statements that give the views what they have of replies, also those that users name.
    fn reply_views(&self, has: Replies, user_views: &str) -> String {
        let window = self.window.get();
        let mut sql = read_views(window, &self.replaced, has);
        sql += "create or replace view records as select * from stored;\n";
        sql + &hours_view(window, has.columns(), &self.kept_of_record()) + user_views
    }

    /// What a script of a statement needs besides the set-up, when it names any of this.
    pub(crate) fn replies_script(&self, sql: &str) -> String {
        if !names_replies(sql) && !names_templates(sql) {
            return String::new();
        }
        let templates = self.templates().unwrap_or_default();
        let shown = shown(&templates);
        let has = Replies { has_columns: names_replies(sql), has_folded: !shown.is_empty() };
        if has == Replies::default() {
            return String::new();
        }
        let mut script = TABLE.to_owned();
        for row in rows(&templates, &shown, has) {
            let values = row.iter().map(|value| value.as_deref().map_or("null".to_owned(), quoted));
            let values = values.collect::<Vec<_>>().join(", ");
            let _ = writeln!(script, "insert into known_replies values ({values});");
        }
        script + &self.reply_views(has, prelude::VIEWS)
    }
}

/// The templates that are shown as another: masked by an older version, or one with others.
fn shown(templates: &[String]) -> BTreeMap<&str, String> {
    let again: Vec<String> = templates.iter().map(|template| explain::template(template)).collect();
    let all: Vec<&str> = again.iter().map(String::as_str).collect();
    let folded = folded(&all);
    let pairs = templates.iter().zip(&again).map(|(template, again)| {
        (template.as_str(), folded.get(again.as_str()).unwrap_or(again).clone())
    });
    pairs.filter(|(template, shown)| template != shown).collect()
}
