//! What of a bounce is told when records are read: the site's own classes of bounce categories, which
//! hold for all records from the next question on; and of parts that an older version wrote, who ended it.

use pmtaq_schema::bounce::{BounceClass, BounceClasses};
use pmtaq_schema::origin::{BounceOrigin, INTERNAL, OPERATORS_WORDS};

use crate::error::Result;
use crate::opened::Opened;
use crate::query::quoted;
use crate::replies::{Replies, read_views};
use crate::session::Session;

impl Session {
    /// Lets `bounce_class` be what the site says, where it says anything, and `bounce_origin` what an old
    /// part would have.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when the engine cannot create the views again.
    pub(crate) fn classify(&mut self, classes: &BounceClasses) -> Result<()> {
        let cases: String = classes
            .own()
            .map(|(category, class)| {
                format!(
                    " when {} then {}",
                    quoted(&category.to_lowercase()),
                    quoted(class.as_str())
                )
            })
            .collect();
        let administrative = quoted(BounceClass::Administrative.as_str());
        // A record has a class only where its type may have one.
        let mut class = (!cases.is_empty()).then(|| {
            format!(
                "case when bounce_class is null or bounce_class = {administrative} then bounce_class \
                 else case lower(bounce_cat){cases} else bounce_class end end"
            )
        });
        if self.opened[..2].iter().any(Opened::lacks_origin) {
            let origin = origin();
            let by_operator = format!("({origin}) = {}", quoted(BounceOrigin::Operator.as_str()));
            let otherwise = class.as_deref().unwrap_or("bounce_class");
            class = Some(format!(
                "case when rec = 'b' and {by_operator} then {administrative} else {otherwise} end"
            ));
            self.replaced.push(format!("{origin} as bounce_origin"));
        }
        self.replaced.extend(class.map(|class| format!("{class} as bounce_class")));
        if self.replaced.is_empty() {
            return Ok(());
        }
        let window = self.window.get();
        self.set_up(&read_views(window, &self.replaced, Replies::default()))
    }
}

/// `bounce_origin` by what each version kept of a diagnostic: the code and the template.
fn origin() -> String {
    let [receiver, after_reply, pmta, operator] =
        BounceOrigin::ALL.map(|origin| quoted(origin.as_str()));
    let operators = quoted(&OPERATORS_WORDS.join("|"));
    let internal = quoted(INTERNAL);
    format!(
        "coalesce(r.bounce_origin, case when rec = 'rb' then {receiver} when rec in ('b', 't', 'tq') then case \
         when smtp_code is null and regexp_matches(r.template, {operators}, 'i') then {operator} \
         when smtp_code is null or contains(r.template, {internal}) then {pmta} \
         when rec = 'b' and smtp_code < 500 then {after_reply} else {receiver} end end)"
    )
}
