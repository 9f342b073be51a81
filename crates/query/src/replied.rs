//! A session that knows replies: what it looks up, when, and the views that it makes again.

use std::collections::BTreeMap;

use pmtaq_schema::columns::HOURLY;
use pmtaq_schema::template::folded;
use pmtaq_schema::{COLUMNS, explain};

use crate::error::Result;
use crate::hours::hours_view;
use crate::prelude;
use crate::query::quoted;
use crate::replies::{
    RENAMED, Replies, TABLES, columns_of, names_replies, names_templates, read_views,
};
use crate::session::Session;
use crate::setup::source;
use crate::variables;

impl Session {
    /// Gives the views what `sql` names of replies.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when the engine cannot read the templates.
    pub(crate) fn read_replies(&self, sql: &str) -> Result<()> {
        variables::set(self.engine(), &mut self.variables.borrow_mut(), sql)?;
        let had = self.replies.get();
        let wants_columns = names_replies(sql) && !had.has_columns;
        let is_first = !self.knows_templates.get();
        let wants_templates = is_first && names_templates(sql);
        if !wants_columns && !wants_templates {
            return Ok(());
        }
        let engine = self.connection()?;
        let mut has = had;
        let templates = self.templates()?;
        if is_first {
            engine.execute_batch(TABLES)?;
            let mut rows = engine.appender("folded_templates")?;
            let shown = shown(&templates);
            has.has_folded = !shown.is_empty();
            for (template, shown) in shown {
                rows.append_row([template, &shown])?;
            }
            rows.flush()?;
            self.knows_templates.set(true);
        }
        if wants_columns {
            let mut rows = engine.appender("known_replies")?;
            for template in templates {
                rows.append_row(columns_of(template))?;
            }
            rows.flush()?;
            has.has_columns = true;
        }
        if has != had {
            engine.execute_batch(&self.reply_views(has, &self.user_views.borrow().created()))?;
            self.parts_view.set("stored_as_ingested");
            self.replies.set(has);
        }
        Ok(())
    }

    /// The templates of all parts of the session, whatever window it is turned to.
    fn templates(&self) -> Result<Vec<String>> {
        let parts = match self.has_hours {
            true => source(&self.opened[1].names(), HOURLY),
            false => source(&self.opened[0].names(), COLUMNS),
        };
        let sql = format!("select distinct template from {parts} where template is not null");
        let mut statement = self.connection()?.prepare(&sql)?;
        let templates = statement.query_map([], |row| row.get(0))?;
        Ok(templates.collect::<std::result::Result<_, _>>()?)
    }

    /// The statements that give the views what they have of replies, also those that users name.
    fn reply_views(&self, has: Replies, user_views: &str) -> String {
        let is_bare = self.parts_view.get() == "stored";
        let mut sql = if is_bare { RENAMED.to_owned() } else { String::new() };
        sql += &read_views(&self.replaced, has);
        sql += "create or replace view records as select * from stored;\n";
        let views = hours_view(self.window.get(), has.columns()) + user_views;
        sql + &views.replace("create view", "create or replace view")
    }

    /// What a script of a statement needs besides the set-up, when it names any of this.
    pub(crate) fn replies_script(&self, sql: &str) -> String {
        if !names_replies(sql) && !names_templates(sql) {
            return String::new();
        }
        let templates = self.templates().unwrap_or_default();
        let mut script = TABLES.to_owned();
        let mut row = |table: &str, values: &[Option<String>]| {
            let values =
                values.iter().map(|value| value.as_deref().map_or("null".to_owned(), quoted));
            let values = values.collect::<Vec<_>>().join(", ");
            script += &format!("insert into {table} values ({values});\n");
        };
        let shown = shown(&templates);
        let has = Replies { has_columns: names_replies(sql), has_folded: !shown.is_empty() };
        for (template, shown) in shown {
            row("folded_templates", &[Some(template.to_owned()), Some(shown)]);
        }
        if has.has_columns {
            templates.iter().for_each(|t| row("known_replies", &columns_of(t.clone())));
        }
        if has == Replies::default() {
            return String::new();
        }
        let renamed = if self.replaced.is_empty() { RENAMED } else { "" };
        let views = self.reply_views(has, prelude::VIEWS);
        script + renamed + views.strip_prefix(RENAMED).unwrap_or(&views)
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
