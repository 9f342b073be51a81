//! The dimensions that a site makes of fields, as its settings say them.

use pmtaq_schema::site::{KeptDimensions, NotKept, SiteDimension};

use super::Origin;
use crate::failure::{Failure, Result};

/// The dimensions of the site, each where it is said.
#[derive(Debug, Default)]
pub(crate) struct SiteDimensions(Vec<SaidDimension>);

/// A dimension of the site.
#[derive(Debug)]
pub(crate) struct SaidDimension {
    pub(crate) dimension: SiteDimension,
    /// Whether `hourly` keeps it.
    pub(crate) is_kept: bool,
    pub(crate) origin: Origin,
}

impl SiteDimensions {
    /// In the order in which they are said.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &SaidDimension> {
        self.0.iter()
    }

    /// Lets all questions know them.
    ///
    /// # Errors
    /// [`Failure::usage`] with file and line for one that cannot be.
    pub(crate) fn define(&self) -> Result<()> {
        self.0.iter().try_for_each(|SaidDimension { dimension, is_kept, origin }| {
            pmtaq_query::define(dimension, *is_kept)
                .map_err(|what| Failure::usage(format!("{origin}: {what}")))
        })
    }

    /// Those that `hourly` keeps.
    ///
    /// # Errors
    /// [`Failure::usage`] with file and line for one that cannot be kept.
    pub(crate) fn kept(&self) -> Result<KeptDimensions> {
        let kept = self.0.iter().filter(|said| said.is_kept).map(|said| said.dimension.clone());
        KeptDimensions::new(kept.collect()).map_err(|NotKept { name, what }| {
            let said = self.0.iter().find(|said| said.dimension.name == name);
            let origin = said.map(|said| format!("{}: ", said.origin)).unwrap_or_default();
            Failure::usage(format!("{origin}{what}"))
        })
    }

    /// Takes a line of their table: `NAME.field`, `NAME.pattern` or `NAME.hourly`.
    pub(super) fn take(
        &mut self,
        key: &str,
        text: String,
        origin: Origin,
    ) -> std::result::Result<(), String> {
        let (name, part) = key.rsplit_once('.').unwrap_or((key, ""));
        let at = self.0.iter().position(|known| known.dimension.name == name);
        let at = at.unwrap_or_else(|| {
            let (field, pattern) = (String::new(), String::new());
            let dimension = SiteDimension { name: name.to_owned(), field, pattern };
            self.0.push(SaidDimension { dimension, is_kept: false, origin });
            self.0.len() - 1
        });
        let said = &mut self.0[at];
        match (part, &*text) {
            ("field", _) => said.dimension.field = text,
            ("pattern", _) => said.dimension.pattern = text,
            ("hourly", "true" | "false") => said.is_kept = text == "true",
            ("hourly", _) => {
                return Err(format!("`hourly` of `{name}` is `{text}` and must be true or false"));
            }
            _ => {
                return Err(format!(
                    "`{name}` must be {{ field = \"orig\", pattern = \"...\" }}: a field, and a \
                     regular expression with a group"
                ));
            }
        }
        Ok(())
    }
}
