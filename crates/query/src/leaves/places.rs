//! The places that stand for names in the lists of a question, of all dimensions of a record in one number. Counts nothing.

use super::held::Leaves;
use super::names::Of;
use super::row::Row;
use crate::why::{LEAF, Why};

/// The place of a dimension that is not told apart: greater than any in a list.
const BLIND: u16 = 1023;
/// Bits of a place.
const PLACE_BITS: u32 = 10;

/// The places of names in the lists of a question, [`PLACE_BITS`] each, where they are among those of a record.
pub(super) struct Places {
    providers: Vec<u64>,
    campaigns: Vec<u64>,
    paths: Vec<u64>,
}

impl Places {
    pub(super) fn of_question(leaves: &Leaves, why: &Why) -> Places {
        let of = |dim: &str| {
            let of = Of::dimension(dim).map_or(1, |of| leaves.names.n(of));
            if why.blind.contains(&dim) {
                return vec![without(dim); of];
            }
            let told = why.told.iter().flatten().find(|(of, _)| of == dim);
            let numbers = told.map_or(&[][..], |(_, numbers)| numbers);
            let mut places = vec![0; of];
            // Behind the list, as the statements have it.
            places[0] = numbers.len() as u64 + 2;
            for (number, place) in numbers.iter().zip(1..) {
                if let Some(known) = places.get_mut(*number as usize) {
                    *known = place;
                }
            }
            let shift = shift(dim);
            places.into_iter().map(|place: u64| place << shift).collect()
        };
        let [providers, senders, pools, vmtas, ips, jobs] = LEAF.map(of);
        let campaign = |[sender, job]: &[u32; 2]| senders[*sender as usize] | jobs[*job as usize];
        let path = |[pool, vmta, ip, _]: &[u32; 4]| {
            pools[*pool as usize] | vmtas[*vmta as usize] | ips[*ip as usize]
        };
        Places {
            providers,
            campaigns: leaves.campaigns.iter().map(campaign).collect(),
            paths: leaves.paths.iter().map(path).collect(),
        }
    }

    /// The places of a record, side by side.
    pub(super) fn at(&self, row: &Row) -> u64 {
        self.of(row.provider, row.campaign, row.path)
    }

    pub(super) fn of(&self, provider: u32, campaign: u32, path: u16) -> u64 {
        let [provider, campaign] = [provider, campaign].map(|number| number as usize);
        self.providers[provider] | self.campaigns[campaign] | self.paths[usize::from(path)]
    }
}

/// Where the place of a dimension is.
fn shift(dim: &str) -> u32 {
    PLACE_BITS * LEAF.iter().position(|of| *of == dim).unwrap_or_default() as u32
}

/// What blinds a dimension among the places of a record.
pub(super) fn without(dim: &str) -> u64 {
    u64::from(BLIND) << shift(dim)
}

/// The place of a dimension among those of a record; none where it is not told apart.
pub(super) fn place(places: u64, dim: &str) -> Option<i32> {
    let place = places >> shift(dim) & u64::from(BLIND);
    (place != u64::from(BLIND)).then_some(place as i32)
}
