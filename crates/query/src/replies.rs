//! What is known of replies, as columns: whose fault they say it is, whether the mailbox is dead,
//! the provider's own code; and their templates, with what only counts masked. No part keeps that: a
//! session looks the templates of its parts up, of which there are few, when a statement first names such a column,
//! and joins it to its views for each that does. So what pmtaq learns holds for old records too, and who does not ask
//! does not pay. Makes statements, and runs none.

use std::collections::BTreeMap;

use pmtaq_schema::Window;
use pmtaq_schema::columns::REPLY_COLUMNS;
use pmtaq_schema::explain::{family, known};

use crate::hours::{EDGES_VIEW, edges};
use crate::lex::words;

/// What the views of a session have of replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Replies {
    /// The columns of [`REPLY_COLUMNS`].
    pub(crate) has_columns: bool,
    /// Templates that are one with others.
    pub(crate) has_folded: bool,
}

impl Replies {
    /// The columns that the views have besides those of the parts.
    pub(crate) fn columns(self) -> &'static [&'static str] {
        if self.has_columns { &REPLY_COLUMNS } else { &[] }
    }
}

/// What is known of templates: the one that each is shown as, if that is another, and its columns.
pub(crate) const TABLE: &str = "create or replace table known_replies (template varchar, shown varchar, reply_fault varchar, mailbox_dead varchar, reply_family varchar);\n";

/// Where a record has no reply at all, PMTA's category stands for it. A queue that was bounced as a whole was so
/// for what was replied to another recipient: whether this mailbox is dead is not known.
const COLUMNS: &str = "coalesce(known_replies.reply_fault, case when r.template is null then
        case when bounce_cat in ('bad-mailbox', 'inactive-mailbox', 'quota-issues') then 'mailbox' when bounce_cat = 'bad-domain' then 'domain' end
    end) as reply_fault,
    case when r.bounce_origin = 'pmta-after-reply' and known_replies.mailbox_dead = 'yes' then null
        else coalesce(known_replies.mailbox_dead, case when r.template is null then
            case when bounce_cat in ('bad-mailbox', 'inactive-mailbox', 'bad-domain') then 'yes' when bounce_cat is not null then 'no' end
        end)
    end as mailbox_dead,
    known_replies.reply_family as reply_family";

/// The statements that let what a session about `window` asks read the views over the parts.
pub(crate) fn read_views(window: Window, replaced: &[String], replies: Replies) -> String {
    let views = ["stored", "hourly"].map(|name| read_view(name, replaced, replies));
    views.concat() + &read_edges(window, replaced, replies)
}

/// The same of the records of the hours that `window` cuts; nothing where it cuts none.
pub(crate) fn read_edges(window: Window, replaced: &[String], replies: Replies) -> String {
    if edges(window).is_empty() {
        return String::new();
    }
    read_view(EDGES_VIEW, replaced, replies)
}

/// The statement that lets the view `name` read that over the parts: with `replaced` columns, and with what
/// it has of replies.
pub(crate) fn read_view(name: &str, replaced: &[String], replies: Replies) -> String {
    let mut replaced = replaced.to_vec();
    if replies.has_folded {
        replaced.push("coalesce(known_replies.shown, r.template) as template".to_owned());
    }
    let more = if replies.has_columns { format!(",\n    {COLUMNS}") } else { String::new() };
    let joined = if replies == Replies::default() {
        ""
    } else {
        "\nleft join known_replies on r.template = known_replies.template"
    };
    let replaced = if replaced.is_empty() {
        String::new()
    } else {
        format!(" replace ({})", replaced.join(", "))
    };
    format!(
        "create or replace view {name} as select r.*{replaced}{more}\nfrom {name}_as_ingested as r{joined};\n"
    )
}

/// A row of [`TABLE`] for each template of which one of its columns says something.
pub(crate) fn rows(
    templates: &[String],
    shown: &BTreeMap<&str, String>,
    replies: Replies,
) -> Vec<[Option<String>; 5]> {
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let row = |template: &String| {
        let shown = shown.get(template.as_str()).cloned();
        if !replies.has_columns {
            return shown.map(|shown| [Some(template.clone()), Some(shown), None, None, None]);
        }
        let known = known(template);
        let fault = known.and_then(|known| known.fault()).map(str::to_owned);
        let is_dead = known.map(|known| yes(known.is_dead));
        Some([Some(template.clone()), shown, fault, is_dead, family(template)])
    };
    templates.iter().filter_map(row).collect()
}

/// Whether a statement names one of the columns.
pub(crate) fn names_replies(sql: &str) -> bool {
    words(sql).any(|word| REPLY_COLUMNS.iter().any(|name| name.eq_ignore_ascii_case(word)))
}

/// Whether a statement names templates.
pub(crate) fn names_templates(sql: &str) -> bool {
    words(sql).any(|word| word.eq_ignore_ascii_case("template"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_names_a_column_outside_of_texts() {
        assert!(names_replies("select Reply_Fault from records"));
        assert!(names_replies("select \"mailbox_dead\" from records"));
        assert!(!names_replies("select 'reply_family' from records -- mailbox_dead"));
        assert!(names_templates("select template") && !names_templates("select 'template'"));
    }
}
