//! Numbers for names: of each field from 1, in the order in which they are seen; 0 is for none.

use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::{Mutex, PoisonError};

use pmtaq_schema::bounce::BounceClass;
use pmtaq_schema::numbers::NumberMap;

/// Whose names are numbered. Pools and VirtualMTAs share theirs, since a reception may name the one where the other
/// is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Of {
    Provider,
    SenderDomain,
    Vmta,
    SourceIp,
    Job,
    RcptDomain,
    Category,
    Class,
    Host,
}

/// The names of all fields.
pub(super) struct Names([FieldNames; 9]);

/// The names of a field.
#[derive(Default)]
pub(super) struct FieldNames {
    /// By a hash of the name: there are far too few for two to have the same.
    numbers: NumberMap<u64, u32>,
    names: Vec<Box<str>>,
}

impl Of {
    /// The dimension of a leaf by its name; none for another.
    pub(super) fn dimension(name: &str) -> Option<Of> {
        Some(match name {
            "provider" => Of::Provider,
            "sender_domain" => Of::SenderDomain,
            "vmta_pool" | "vmta" => Of::Vmta,
            "dlv_source_ip" => Of::SourceIp,
            "job_id" => Of::Job,
            _ => return None,
        })
    }

    /// The greatest number that there is room for.
    pub(super) fn most(self) -> u32 {
        match self {
            Of::Category | Of::Class => u8::MAX.into(),
            // Not that of a name that has no number yet.
            _ => u32::MAX - 1,
        }
    }
}

/// The class of what an operator deleted, among [`Of::Class`].
pub(super) const ADMINISTRATIVE: u8 = 1;

impl FieldNames {
    /// The number of a name that has this [`hash`]; none when there are more than `most`.
    pub(super) fn number(&mut self, hash: u64, name: &str, most: u32) -> Option<u32> {
        let next = u32::try_from(self.names.len() + 1).ok().filter(|n| *n <= most);
        match self.numbers.entry(hash) {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(free) => {
                self.names.push(name.into());
                Some(*free.insert(next?))
            }
        }
    }
}

/// By which a name is found.
pub(super) fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(name.as_bytes());
    hasher.finish()
}

impl Names {
    /// None but that of [`ADMINISTRATIVE`]. Each field has a lock of its own while threads number its names.
    pub(super) fn to_be_learnt() -> [Mutex<FieldNames>; 9] {
        let mut fields: [FieldNames; 9] = Default::default();
        let class = &mut fields[Of::Class as usize];
        let name = BounceClass::Administrative.as_str();
        let number = class.number(hash(name), name, ADMINISTRATIVE.into());
        debug_assert_eq!(number, Some(ADMINISTRATIVE.into()));
        fields.map(Mutex::new)
    }

    /// What was learnt.
    pub(super) fn learnt(fields: [Mutex<FieldNames>; 9]) -> Names {
        Names(fields.map(|field| field.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }

    /// The name of a number.
    pub(super) fn name(&self, of: Of, number: u32) -> Option<&str> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        self.0[of as usize].names.get(at).map(|name| &**name)
    }

    /// The number of a name that may not be there.
    pub(super) fn find(&self, of: Of, name: &str) -> Option<u32> {
        self.0[of as usize].numbers.get(&hash(name)).copied()
    }

    /// How many numbers there are, 0 among them.
    pub(super) fn n(&self, of: Of) -> usize {
        self.0[of as usize].names.len() + 1
    }

    /// The names of a field in their order, of which there are as few as of categories and classes.
    pub(super) fn in_order(&self, of: Of) -> InOrder {
        let mut numbers: Vec<u8> = (1..self.n(of)).map(|number| number as u8).collect();
        numbers.sort_by_key(|number| self.name(of, (*number).into()));
        let mut ranks = vec![u16::MAX; self.n(of)];
        numbers.iter().zip(0..).for_each(|(number, rank)| ranks[usize::from(*number)] = rank);
        InOrder { numbers, ranks }
    }
}

/// Names in their order: none is behind all.
pub(super) struct InOrder {
    numbers: Vec<u8>,
    ranks: Vec<u16>,
}

impl InOrder {
    pub(super) fn rank(&self, number: u8) -> u16 {
        self.ranks[usize::from(number)]
    }

    /// The number of the name of a rank, 0 of none.
    pub(super) fn number(&self, rank: u16) -> u8 {
        self.numbers.get(usize::from(rank)).copied().unwrap_or(0)
    }
}

/// Numbers for combinations of so many numbers: from 0, in the order in which they are seen.
pub(super) struct Combined<const N: usize> {
    numbers: NumberMap<[u32; N], u32>,
    pub(super) of: Vec<[u32; N]>,
}

impl<const N: usize> Combined<N> {
    pub(super) fn new() -> Combined<N> {
        Combined { numbers: NumberMap::default(), of: Vec::new() }
    }

    /// The number of a combination.
    pub(super) fn number(&mut self, of: [u32; N]) -> u32 {
        let next = self.of.len() as u32;
        let number = *self.numbers.entry(of).or_insert(next);
        if number == next {
            self.of.push(of);
        }
        number
    }
}

/// What one thread knows of combinations that several number.
pub(super) struct LocalNumbers<'a, const N: usize> {
    all: &'a Mutex<Combined<N>>,
    numbers: NumberMap<[u32; N], u32>,
    /// Those that came last and often come again, each at the place that its numbers tell.
    last: Vec<([u32; N], u32)>,
}

/// Bits of the places of [`LocalNumbers::last`].
const LAST_BITS: u32 = 10;

impl<'a, const N: usize> LocalNumbers<'a, N> {
    pub(super) fn of(all: &'a Mutex<Combined<N>>) -> LocalNumbers<'a, N> {
        // No name has this number.
        let last = vec![([u32::MAX; N], 0); 1 << LAST_BITS];
        LocalNumbers { all, numbers: NumberMap::default(), last }
    }

    /// The number of a combination among all.
    pub(super) fn number(&mut self, of: [u32; N]) -> u32 {
        let mixed = of.iter().fold(0, |mixed: u32, n| (mixed ^ n).wrapping_mul(0x9e37_79b1));
        let last = &mut self.last[(mixed >> (u32::BITS - LAST_BITS)) as usize];
        if last.0 != of {
            let all = || self.all.lock().unwrap_or_else(PoisonError::into_inner).number(of);
            *last = (of, *self.numbers.entry(of).or_insert_with(all));
        }
        last.1
    }
}
