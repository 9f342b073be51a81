//! The site's own classes of bounce categories. A part keeps the class by pmtaq's own table; the
//! site's word is applied when records are read, so it holds for all of them from the next
//! question on, and no part has to be written again.

use pmtaq_schema::bounce::BounceClasses;

use crate::error::Result;
use crate::query::quoted;
use crate::replies::{RENAMED, Replies, read_views};
use crate::session::Session;

impl Session {
    /// Lets `bounce_class` be what the site says, where it says anything.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when the engine cannot create the views again.
    pub(crate) fn classify(&mut self, classes: &BounceClasses) -> Result<()> {
        let cases: String = classes
            .own()
            .map(|(category, class)| {
                format!(" when {} then {}", quoted(category), quoted(class.as_str()))
            })
            .collect();
        if cases.is_empty() {
            return Ok(());
        }
        // A record has a class only where its type may have one.
        let class = format!(
            "case when bounce_class is not null then case bounce_cat{cases} else bounce_class end end"
        );
        self.class = Some(class);
        self.parts_view.set("stored_as_ingested");
        self.set_up(&(RENAMED.to_owned() + &read_views(self.class.as_deref(), Replies::default())))
    }
}
