//! Rows of `hourly`, column by column, ready to be written.

use hashbrown::HashTable;
use pmtaq_schema::columns::HOURLY;
use pmtaq_store::{Cells, Encoder, NO_NAME, ROW_GROUP_ROWS, Result, RunWriter, Texts};

use super::latencies::Latency;
use super::{FIRST_NAME, Group, HOUR, HOUR_MS, REACHED, SMTP_CODE, Sums};
use crate::intern::mixed;

/// Groups that are put in order together: so many stay in the nearest cache.
const BLOCK: usize = 128;

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
    /// Those of `groups`, which are put into `order` and have for names the places in `names`.
    /// `latencies` are in order by group and seconds.
    pub(super) fn of(
        groups: &[Group],
        order: &[u32],
        latencies: &[Latency],
        names: Vec<SortedNames>,
    ) -> HourlyRows {
        let mut keys: Vec<Vec<u32>> =
            names.iter().map(|_| Vec::with_capacity(order.len())).collect();
        let [mut hours, mut codes, mut reached] = [(); 3].map(|()| Vec::with_capacity(order.len()));
        let mut sums: Vec<Sums> = Vec::with_capacity(order.len());
        let mut near = Vec::with_capacity(BLOCK);
        for order in order.chunks(BLOCK) {
            // In this order groups lie anywhere in memory. Many are waited for at once where nothing else
            // is done meanwhile.
            near.clear();
            near.extend(order.iter().map(|&at| groups[at as usize]));
            for (place, keys) in (FIRST_NAME..).zip(&mut keys) {
                // 0 is none, the greatest of all keys.
                keys.extend(near.iter().map(|group| group.key[place].wrapping_sub(1)));
            }
            hours.extend(near.iter().map(|group| group.key[HOUR]));
            codes.extend(near.iter().map(|group| group.key[SMTP_CODE]));
            reached.extend(near.iter().map(|group| group.key[REACHED]));
            sums.extend(near.iter().map(|group| group.sums));
        }
        let mut names = keys.into_iter().zip(names);
        let columns = HOURLY.iter().map(|column| match column.name {
            "hour" => repeated(hours.iter().map(|&hour| Some(i64::from(hour) * HOUR_MS))),
            "smtp_code" => repeated(codes.iter().map(|code| code.checked_sub(1).map(i64::from))),
            "reached" => repeated(reached.iter().map(|&reached| Some(i64::from(reached)))),
            "records" => repeated(sums.iter().map(|sums| Some(sums.records))),
            // Sums hardly repeat.
            "bytes" => Column::Numbers(sums.iter().map(|sums| sums.bytes).collect()),
            "latency_sum" => {
                repeated(sums.iter().map(|sums| sums.latency_max.map(|_| sums.latency_sum)))
            }
            "latency_max" => repeated(sums.iter().map(|sums| sums.latency_max)),
            "latencies" => counts(groups.len(), order, latencies),
            _ => {
                let (keys, names) = names.next().expect("one dictionary for each name");
                Column::Names { keys, names }
            }
        });
        HourlyRows { len: order.len(), columns: columns.collect() }
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
        // Alike in size: a small one behind full ones would have all names again.
        let groups = (self.len + ROW_GROUP_ROWS / 2) / ROW_GROUP_ROWS;
        let size = self.len.div_ceil(groups.max(1)).max(1);
        let mut group = part.begin_group(encoder);
        for start in (0..self.len).step_by(size) {
            let rows = start..self.len.min(start + size);
            part.write(&mut group, encoder, rows, &cells, since, until)?;
            part.end_group(&mut group, encoder, &cells)?;
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

/// The latencies of `groups` groups, which are put into `order`.
fn counts(groups: usize, order: &[u32], latencies: &[Latency]) -> Column {
    let mut of_group = vec![&[][..]; groups];
    for entries in latencies.chunk_by(|a, b| a.group == b.group) {
        of_group[entries[0].group as usize] = entries;
    }
    let mut end = 0;
    let ends = order.iter().map(|&at| {
        end += of_group[at as usize].len() as u32;
        end
    });
    let ends = ends.collect();
    let entries = || order.iter().flat_map(|&at| of_group[at as usize]);
    let keys = Repeated::of(entries().map(|entry| Some(entry.seconds)));
    let values = Repeated::of(entries().map(|entry| Some(entry.count)));
    Column::Counts { ends, keys, values }
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
