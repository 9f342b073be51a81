//! The reports that there are: those of pmtaq and those of the user.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::error::{Error, Result};
use crate::report::Report;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../sql");

/// All reports, in the order of their names.
#[derive(Clone, Debug)]
pub struct Catalog {
    reports: Vec<Report>,
    own: Vec<Own>,
}

/// Where a report of the user comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// Whether it stands in the place of one that comes with pmtaq.
    pub replaces: bool,
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
        Ok(Catalog { reports, own: Vec::new() })
    }

    /// Adds a report that the file `file` of the user holds, in the place of one of the same name.
    pub fn add(&mut self, file: &Path, report: Report) {
        let name = report.name.clone();
        let built_in = self.own(&name).is_none_or(|own| own.replaces);
        let replaces = built_in && self.iter().any(|known| known.name == name);
        self.reports.retain(|known| known.name != name);
        self.own.retain(|known| known.name != name);
        self.reports.push(report);
        self.reports.sort_by(|a, b| a.name.cmp(&b.name));
        self.own.push(Own { name, file: file.to_owned(), replaces });
    }

    /// Where the report called `name` comes from, when it is one of the user.
    pub fn own(&self, name: &str) -> Option<&Own> {
        self.own.iter().find(|own| own.name == name)
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
