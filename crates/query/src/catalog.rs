//! The reports that there are.

use include_dir::{Dir, include_dir};

use crate::error::{Error, Result};
use crate::report::Report;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../sql");

/// All reports, in the order of their names.
#[derive(Clone, Debug)]
pub struct Catalog {
    reports: Vec<Report>,
}

impl Catalog {
    /// The reports that come with pmtaq.
    ///
    /// # Errors
    /// [`Error::BadReport`], which the tests rule out.
    pub fn builtin() -> Result<Catalog> {
        let mut reports = Vec::new();
        for file in FILES.files() {
            let stem = file.path().file_stem().unwrap_or_default().to_string_lossy();
            reports.extend(Report::parse(&stem, file.contents_utf8().unwrap_or_default())?);
        }
        reports.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Catalog { reports })
    }

    /// The report called `name`.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the nearest name.
    pub fn get(&self, name: &str) -> Result<&Report> {
        let found = self.iter().find(|report| report.name == name);
        found.ok_or_else(|| Error::unknown("report", name, self.iter().map(|r| r.name.as_str())))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Report> {
        self.reports.iter()
    }
}
