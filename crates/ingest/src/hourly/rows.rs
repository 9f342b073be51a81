//! Rows of `hourly`, column by column, ready to be written.

use hashbrown::HashTable;
use pmtaq_schema::columns::HOURLY;
use pmtaq_store::{Cells, Encoder, NO_NAME, ROW_GROUP_ROWS, Result, RunWriter, Texts};

use super::{FIRST_NAME, Group, HOUR, HOUR_MS, REACHED, SMTP_CODE};
use crate::intern::mixed;

/// Rows of `hourly` in the order in which they are stored.
#[derive(Debug, PartialEq)]
pub(crate) struct HourlyRows {
    len: usize,
    /// As [`HOURLY`] lists them.
    columns: Vec<Column>,
}

#[derive(Debug, PartialEq)]
enum Column {
    Names { keys: Vec<u32>, names: SortedNames },
    Repeated(Repeated),
    Numbers(Vec<i64>),
    Counts { ends: Vec<u32>, keys: Repeated, values: Repeated },
}

/// Names in order, each once.
#[derive(Debug, Default, PartialEq)]
pub(super) struct SortedNames {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

/// Numbers that repeat, by key.
#[derive(Debug, Default, PartialEq)]
struct Repeated {
    keys: Vec<u32>,
    numbers: Vec<i64>,
}

impl HourlyRows {
    /// Those of `groups`, which are in order and have for names the places in `names`.
    pub(super) fn of(groups: &[Group], names: Vec<SortedNames>) -> HourlyRows {
        let mut names = names.into_iter().enumerate();
        let pairs = || groups.iter().flat_map(|group| &group.latencies);
        let columns = HOURLY.iter().map(|column| match column.name {
            "hour" => repeated(groups.iter().map(|g| Some(i64::from(g.key[HOUR]) * HOUR_MS))),
            "smtp_code" => {
                repeated(groups.iter().map(|g| g.key[SMTP_CODE].checked_sub(1).map(i64::from)))
            }
            "reached" => repeated(groups.iter().map(|g| Some(i64::from(g.key[REACHED])))),
            "records" => repeated(groups.iter().map(|g| Some(g.sums.records))),
            // Sums hardly repeat.
            "bytes" => Column::Numbers(groups.iter().map(|g| g.sums.bytes).collect()),
            "latency_sum" => {
                repeated(groups.iter().map(|g| g.sums.latency_max.map(|_| g.sums.latency_sum)))
            }
            "latency_max" => repeated(groups.iter().map(|g| g.sums.latency_max)),
            "latencies" => {
                let mut end = 0;
                let ends = groups.iter().map(|group| {
                    end += group.latencies.len() as u32;
                    end
                });
                let ends = ends.collect();
                let keys = Repeated::of(pairs().map(|(seconds, _)| Some(*seconds)));
                let values = Repeated::of(pairs().map(|(_, count)| Some(*count)));
                Column::Counts { ends, keys, values }
            }
            _ => {
                let (i, names) = names.next().expect("one dictionary for each name");
                // 0 is none, the greatest of all keys.
                let keys = groups.iter().map(|g| g.key[FIRST_NAME + i].wrapping_sub(1)).collect();
                Column::Names { keys, names }
            }
        });
        HourlyRows { len: groups.len(), columns: columns.collect() }
    }

    /// Writes all of them to `part`; their hours lie from `since` to `until`, in UTC seconds.
    ///
    /// # Errors
    /// [`pmtaq_store::Error::Parquet`] when the disk is full.
    pub(crate) fn write(
        &self,
        part: &mut RunWriter<'_>,
        encoder: &mut Encoder,
        (since, until): (i64, i64),
    ) -> Result<()> {
        let cells: Vec<Cells<'_>> = self.columns.iter().map(Column::cells).collect();
        for start in (0..self.len).step_by(ROW_GROUP_ROWS) {
            let rows = start..self.len.min(start + ROW_GROUP_ROWS);
            part.write(encoder, rows, &cells, since, until)?;
            part.end_group(encoder, &cells)?;
        }
        Ok(())
    }
}

impl Column {
    fn cells(&self) -> Cells<'_> {
        match self {
            Column::Names { keys, names } => {
                Cells::Names { keys, names: Texts { bytes: &names.bytes, ends: &names.ends } }
            }
            Column::Repeated(Repeated { keys, numbers }) => Cells::Repeated { keys, numbers },
            Column::Numbers(numbers) => Cells::Numbers(numbers),
            Column::Counts { ends, keys, values } => Cells::Counts {
                ends,
                keys: (&keys.keys, &keys.numbers),
                values: (&values.keys, &values.numbers),
            },
        }
    }
}

impl<'n> FromIterator<&'n [u8]> for SortedNames {
    fn from_iter<I: IntoIterator<Item = &'n [u8]>>(names: I) -> SortedNames {
        let mut all = SortedNames::default();
        for name in names {
            all.bytes.extend_from_slice(name);
            all.ends.push(u32::try_from(all.bytes.len()).expect("names are smaller than 4 GB"));
        }
        all
    }
}

fn repeated(numbers: impl Iterator<Item = Option<i64>>) -> Column {
    Column::Repeated(Repeated::of(numbers))
}

impl Repeated {
    fn of(numbers: impl Iterator<Item = Option<i64>>) -> Repeated {
        let hash = |number: i64| mixed(&[number as u32, (number >> 32) as u32]);
        let mut table: HashTable<u32> = HashTable::new();
        let mut all = Vec::new();
        let mut last = (None, NO_NAME);
        let keys = numbers.map(|number| {
            if number == last.0 {
                return last.1;
            }
            let key = number.map_or(NO_NAME, |number| {
                let known = table.find(hash(number), |&key| all[key as usize] == number);
                known.copied().unwrap_or_else(|| {
                    let key = all.len() as u32;
                    all.push(number);
                    table.insert_unique(hash(number), key, |&key| hash(all[key as usize]));
                    key
                })
            });
            last = (number, key);
            key
        });
        let keys = keys.collect();
        Repeated { keys, numbers: all }
    }
}
