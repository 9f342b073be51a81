//! What the list of the parts of a day says of one of them.

use pmtaq_schema::site::SiteDimension;
use serde::{Deserialize, Serialize};

use crate::checksum::Summed;
use crate::facts::Facts;
use crate::generations::Generations;
use crate::layout::Table;

/// One Parquet file that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which table it belongs to.
    pub table: Table,
    /// File name in the partition.
    pub name: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// Earliest time in it, UTC seconds.
    pub since: i64,
    /// Latest time in it, UTC seconds.
    pub until: i64,
    /// Checksum of all its bytes; none of a part that format 1 wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The commits that took its rows from their sources.
    #[serde(default = "Generations::unknown")]
    pub generations: Generations,
    /// Which derived columns its rows have: those up to this number ([`DERIVED`]).
    #[serde(default)]
    pub derived: u32,
    /// Whether its records have `message_key`, which older versions did not write.
    #[serde(default)]
    pub has_keys: bool,
    /// Whether each row group of its records is of common types or of rare ones
    /// ([`pmtaq_schema::Frequency`]), which older versions mixed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rare_apart: bool,
    /// Whether row groups of its records say which recipients they have not got, which older versions did not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_filters: bool,
    /// Of the rollup by who sends, whether its rows tell jobs apart, which those of older versions did not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_jobs: bool,
    /// What its records have, by MTA and type; none of a part that older versions wrote, and of other
    /// tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// Of a rollup of `hourly`, the name of the part of it whose rows are added up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sums: Option<String>,
    /// Of a part of `hourly`, the dimensions of the site that its rows have.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "site_dimensions")]
    pub site: Vec<SiteDimension>,
    /// Of a part of `hourly`, whether its rollups were made, as far as they are of use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_tiered: bool,
}

/// The derived columns that a part has which is written today. Since [`SAYS_ORIGIN`] bounces have
/// `bounce_origin`, and those that an operator ended are of the class administrative; before, a reader tells
/// it by the template. Since [`SAYS_REACHED_BY_NAME`] `reached` of `hourly` is 1 by `dsn_mta` too.
pub const DERIVED: u32 = SAYS_REACHED_BY_NAME;

/// See [`DERIVED`].
pub const SAYS_ORIGIN: u32 = 1;

/// See [`DERIVED`].
pub const SAYS_REACHED_BY_NAME: u32 = 2;

impl Part {
    /// A part without rows.
    pub fn new(table: Table, name: String) -> Part {
        let (since, until) = (i64::MAX, i64::MIN);
        let (rows, bytes, checksum) = (0, 0, None);
        Part {
            table,
            name,
            rows,
            bytes,
            since,
            until,
            checksum,
            generations: Generations::default(),
            derived: DERIVED,
            has_keys: table == Table::Records,
            rare_apart: table == Table::Records,
            has_filters: table == Table::Records,
            has_jobs: table == Table::DailySenders,
            facts: None,
            sums: None,
            site: Vec::new(),
            is_tiered: false,
        }
    }

    /// A part of which nothing else is known.
    pub(crate) fn of_unknown(table: Table, name: String) -> Part {
        let generations = Generations::unknown();
        Part {
            generations,
            derived: 0,
            has_keys: false,
            rare_apart: false,
            has_filters: false,
            has_jobs: false,
            ..Part::new(table, name)
        }
    }

    /// Whether it is a rollup without names that it has in this version: it answers nothing, until
    /// `compact` makes it anew.
    pub fn lacks_names(&self) -> bool {
        self.table == Table::DailySenders && !self.has_jobs
    }

    /// Notes what was written, when all was.
    pub(crate) fn seal(&mut self, written: &Summed) {
        let (bytes, checksum) = written.sum();
        (self.bytes, self.checksum) = (bytes, Some(checksum));
    }
}

mod site_dimensions {
    //! A dimension of the site as its name, its field and its expression.
    use pmtaq_schema::site::SiteDimension;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        site: &[SiteDimension],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(site.iter().map(|of| [&of.name, &of.field, &of.pattern]))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(
        from: D,
    ) -> Result<Vec<SiteDimension>, D::Error> {
        let all = Vec::<[String; 3]>::deserialize(from)?.into_iter();
        Ok(all.map(|[name, field, pattern]| SiteDimension { name, field, pattern }).collect())
    }
}
