//! Lines that were checked as typed columns.

use std::borrow::Cow;

use pmtaq_schema::columns::{SORTED_BY, index_of};
use pmtaq_schema::message_key::message_key;
use pmtaq_schema::site::Row;
use pmtaq_schema::{COLUMNS, Kind};
use pmtaq_store::{Cells, NO_NAME, NO_NUMBER, Texts};

use crate::checked::Checked;
use crate::derive::{Added, Derive, SourceFacts};
use crate::encoded_words::decoded;
use crate::intern::{NameColumn, Pending, Repetition};
use crate::order::Order;
use crate::plan::{Extra, Plan, Text};
use crate::split::{Field, Line, Lines, Place};

const RCPT: usize = index_of("rcpt");
const ORCPT: usize = index_of("orcpt");
const ORIG: usize = index_of("orig");
const ENV_ID: usize = index_of("env_id");
const EXTRA: usize = index_of("extra");
const MESSAGE_KEY: usize = index_of("message_key");

/// Rows being gathered, column by column. A cell without a value costs nothing: a column is
/// padded with nulls when its next value comes, or at the end.
pub(crate) struct Rows {
    /// As [`COLUMNS`] lists them, and behind these what `hourly` keeps of the site.
    columns: Vec<CellColumn>,
    derive: Derive,
    /// Of the lines that are being added, side by side.
    places: Vec<Place>,
    len: usize,
    /// Bytes of the lines gathered: a measure of the memory in use.
    pub(crate) bytes: usize,
    /// The times that the rows span, in UTC seconds.
    pub(crate) since: i64,
    pub(crate) until: i64,
}

/// The cells of one column, by row.
pub(crate) enum CellColumn {
    Names(NameColumn),
    Texts(TextColumn),
    Numbers(Vec<i64>),
    Hashes(Vec<u64>),
    Map(Box<MapColumn>),
}

#[derive(Default)]
pub(crate) struct TextColumn {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

pub(crate) struct MapColumn {
    ends: Vec<u32>,
    keys: NameColumn,
    values: NameColumn,
    /// Of the values, by key.
    repetition: Vec<Repetition>,
}

impl Rows {
    pub(crate) fn new() -> Rows {
        let kinds = COLUMNS.iter().map(|column| column.kind).chain([Kind::Name]);
        let columns = kinds.map(CellColumn::new).collect();
        let (since, until) = (i64::MAX, i64::MIN);
        let derive = Derive::default();
        Rows { columns, derive, places: Vec::new(), len: 0, bytes: 0, since, until }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds lines that were checked, column by column: the names of one column stay at hand.
    pub(crate) fn push<'l>(
        &mut self,
        lines: Lines<'_, 'l>,
        checked: &[Checked],
        plan: &Plan,
        known: &SourceFacts<'_>,
    ) {
        let first = self.len;
        self.len += checked.len();
        for Checked { line, time_logged, .. } in checked {
            self.bytes += lines.get(*line).raw().len();
            self.since = self.since.min(time_logged.0);
            self.until = self.until.max(time_logged.0);
        }
        self.places.clear();
        self.places.extend(checked.iter().map(|checked| lines.place(checked.line)));
        let places = &self.places[..];
        let recipients = |column: usize, place: Place| match plan.sources[column] {
            Some(field) => lines.field(place, field).value(),
            None => Cow::Borrowed(&b""[..]),
        };
        let people = |&place: &Place| {
            known.privacy.recipients_of(&recipients(RCPT, place), &recipients(ORCPT, place))
        };
        let hidden = if known.privacy.is_on() { places } else { &[] };
        let people: Vec<_> = hidden.iter().map(people).collect();
        let stored = |i: usize, column, text| match people.get(i) {
            Some(people) => known.privacy.field(column, text, people),
            None => text,
        };
        let mut pending = Vec::new();
        for text in &plan.texts {
            let fields = Fields { first, lines, places, text };
            let hidden = |i: usize| stored(i, text.column, fields.field(places[i]).text());
            let hidden = (!people.is_empty()).then_some(hidden);
            match &mut self.columns[text.column] {
                CellColumn::Names(names) => {
                    fields.each(hidden, &mut Naming { names, pending: &mut pending });
                    names.end(&mut pending);
                }
                CellColumn::Texts(texts) => fields.each(hidden, texts),
                CellColumn::Numbers(_) | CellColumn::Hashes(_) | CellColumn::Map(_) => {}
            }
        }
        for (i, &(column, _)) in plan.numbers.iter().enumerate() {
            let column = &mut self.columns[column];
            let rows = checked.iter().enumerate();
            rows.for_each(|(row, checked)| column.set_number(first + row, checked.numbers[i]));
        }
        if let (CellColumn::Map(map), false) = (&mut self.columns[EXTRA], plan.extra.is_empty()) {
            for (i, checked) in checked.iter().enumerate() {
                let stored = |text| stored(i, EXTRA, text);
                map.add_extra(first + i, &lines.get(checked.line), plan, stored);
            }
        }
        let added = Added { first, lines, places, checked, plan, known, people: &people };
        self.derive.rows(&added, &mut self.columns);
        self.add_keys(first);
        if let (false, Some((CellColumn::Names(names), columns))) =
            (known.kept.is_empty(), self.columns.split_last_mut())
        {
            let mut text = String::new();
            for row in first..self.len {
                text.clear();
                known.kept.values(&Built { columns, row }, &mut text);
                if !text.is_empty() {
                    names.set(row, text.as_bytes());
                }
            }
        }
    }

    /// Adds the keys of the messages of the rows from `first` on, whose texts are there.
    fn add_keys(&mut self, first: usize) {
        let text = |column: usize, row| match &self.columns[column] {
            CellColumn::Texts(texts) => texts.get(row),
            _ => b"",
        };
        let key = |row| message_key(text(RCPT, row), text(ENV_ID, row), text(ORIG, row));
        let keys: Vec<u64> = (first..self.len).map(key).collect();
        if let CellColumn::Hashes(hashes) = &mut self.columns[MESSAGE_KEY] {
            hashes.extend(keys);
        }
    }

    /// Puts the rows in order: by the names of [`SORTED_BY`], then message by message, these and the rows of
    /// each as they came, which is by time. Names come in the order of their first row. Texts stay where they are.
    pub(crate) fn sort(&mut self, order: &mut Order) {
        let len = self.len;
        self.columns.iter_mut().for_each(|column| column.fill(len));
        order.rows.clear();
        order.rows.extend(0..u32::try_from(len).expect("a run has fewer rows than u32"));
        if let CellColumn::Hashes(keys) = &self.columns[MESSAGE_KEY] {
            order.sort_by_message(keys);
        }
        for column in SORTED_BY.into_iter().rev() {
            if let CellColumn::Names(names) = &self.columns[column] {
                order.sort_by(names.keys(), names.names.all().len());
            }
        }
        self.columns.iter_mut().for_each(|column| column.reorder(order));
    }

    /// The cells of all columns of `records`, and behind them those of the site, after the rows were sorted
    /// into `order`.
    pub(crate) fn cells<'c>(&'c self, order: &'c Order) -> Vec<Cells<'c>> {
        self.columns.iter().map(|column| column.cells(&order.rows)).collect()
    }

    /// Begins a new run of rows, in the same row group.
    pub(crate) fn clear(&mut self) {
        self.columns.iter_mut().for_each(CellColumn::clear);
        (self.len, self.bytes) = (0, 0);
        (self.since, self.until) = (i64::MAX, i64::MIN);
    }

    /// Gives the memory of rows back, of which there are none now.
    pub(crate) fn give_back(&mut self) {
        for column in &mut self.columns {
            match column {
                CellColumn::Names(names) => names.give_back(),
                CellColumn::Texts(texts) => *texts = TextColumn::default(),
                CellColumn::Numbers(numbers) => *numbers = Vec::new(),
                CellColumn::Hashes(hashes) => *hashes = Vec::new(),
                CellColumn::Map(map) => {
                    map.ends = Vec::new();
                    map.keys.give_back();
                    map.values.give_back();
                }
            }
        }
    }

    /// Memory of the names that the row group has so far.
    pub(crate) fn name_bytes(&self) -> usize {
        let of = |column: &CellColumn| match column {
            CellColumn::Names(names) => names.names.bytes(),
            CellColumn::Map(map) => map.keys.names.bytes() + map.values.names.bytes(),
            CellColumn::Texts(_) | CellColumn::Numbers(_) | CellColumn::Hashes(_) => 0,
        };
        self.derive.bytes() + self.columns.iter().map(of).sum::<usize>()
    }

    /// Begins a new row group: forgets the names.
    pub(crate) fn forget_names(&mut self) {
        self.derive = Derive::default();
        for column in &mut self.columns {
            match column {
                CellColumn::Names(names) => names.names.clear(),
                CellColumn::Map(map) => {
                    map.keys.names.clear();
                    map.values.names.clear();
                    map.repetition.clear();
                }
                CellColumn::Texts(_) | CellColumn::Numbers(_) | CellColumn::Hashes(_) => {}
            }
        }
    }
}

/// A row, of which the dimensions of the site are made.
struct Built<'c> {
    columns: &'c [CellColumn],
    row: usize,
}

impl Row for Built<'_> {
    fn text(&self, column: usize) -> &[u8] {
        match &self.columns[column] {
            CellColumn::Names(names) => match names.key_at(self.row) {
                NO_NAME => b"",
                key => names.names.get(key),
            },
            CellColumn::Texts(texts) => texts.get(self.row),
            CellColumn::Numbers(_) | CellColumn::Hashes(_) | CellColumn::Map(_) => b"",
        }
    }

    fn field(&self, is_it: &dyn Fn(&[u8]) -> bool) -> Option<&[u8]> {
        match &self.columns[EXTRA] {
            CellColumn::Map(map) => map.find(self.row, is_it),
            _ => None,
        }
    }
}

/// What some lines have for one column of texts.
struct Fields<'a, 'l> {
    /// The row of the first line.
    first: usize,
    lines: Lines<'a, 'l>,
    places: &'a [Place],
    text: &'a Text,
}

impl<'l> Fields<'_, 'l> {
    fn field(&self, place: Place) -> Field<'l> {
        let first = self.lines.field(place, self.text.field);
        let mut others = self.text.otherwise.iter().map(|&field| self.lines.field(place, field));
        if first.is_empty() {
            others.find(|field| !field.is_empty()).unwrap_or(first)
        } else {
            first
        }
    }

    /// Gives `target` the text of each field that has one, by row: as `hidden` has it for the line
    /// numbered so, where there is such, else as it stands in the file. The loop runs for each column
    /// of each line, and a field that is handed on by value goes through memory: so it is not.
    #[inline(always)]
    fn each(&self, hidden: Option<impl Fn(usize) -> Cow<'l, [u8]>>, target: &mut impl Target<'l>) {
        for (i, &place) in self.places.iter().enumerate() {
            let field = self.lines.field(place, self.text.field);
            if field.is_empty() && self.text.otherwise.is_empty() {
                continue;
            }
            match (&hidden, field.plain()) {
                (None, Some(text)) if !text.is_empty() => target.set(self.first + i, text),
                (Some(hidden), _) => rarely(self.first + i, &hidden(i), target),
                (None, _) => rarely(self.first + i, &self.field(place).text(), target),
            }
        }
    }
}

/// What takes the texts of one column.
trait Target<'l> {
    /// The text of a row as it stands in the file.
    fn set(&mut self, row: usize, text: &'l [u8]);

    /// The text of a row that was made of what stands there.
    fn set_made(&mut self, row: usize, text: &[u8]);
}

impl<'l> Target<'l> for TextColumn {
    #[inline(always)]
    fn set(&mut self, row: usize, text: &'l [u8]) {
        self.push(row, text);
    }

    fn set_made(&mut self, row: usize, text: &[u8]) {
        self.push(row, text);
    }
}

/// A column of names, and those that are looked for together.
struct Naming<'c, 'l> {
    names: &'c mut NameColumn,
    pending: &'c mut Vec<Pending<'l>>,
}

impl<'l> Target<'l> for Naming<'_, 'l> {
    #[inline(always)]
    fn set(&mut self, row: usize, text: &'l [u8]) {
        self.names.begin(row, text, self.pending);
    }

    fn set_made(&mut self, row: usize, text: &[u8]) {
        self.names.set(row, text);
    }
}

/// Gives `target` a text, if there is one, from a place where it is not to be inlined.
#[cold]
fn rarely<'l>(row: usize, text: &[u8], target: &mut impl Target<'l>) {
    if !text.is_empty() {
        target.set_made(row, text);
    }
}

impl CellColumn {
    fn new(kind: Kind) -> CellColumn {
        match kind {
            Kind::Text => CellColumn::Texts(TextColumn::default()),
            Kind::Name => CellColumn::Names(NameColumn::default()),
            // No column of `records` counts.
            Kind::Int | Kind::Time | Kind::Counts => CellColumn::Numbers(Vec::new()),
            Kind::Hash => CellColumn::Hashes(Vec::new()),
            Kind::Map => {
                let (keys, values) = (NameColumn::default(), NameColumn::default());
                CellColumn::Map(Box::new(MapColumn {
                    ends: vec![],
                    keys,
                    values,
                    repetition: vec![],
                }))
            }
        }
    }

    /// Gives a row a number, if it is one.
    pub(crate) fn set_number(&mut self, row: usize, number: i64) {
        if let (CellColumn::Numbers(numbers), true) = (self, number != NO_NUMBER) {
            numbers.resize(row, NO_NUMBER);
            numbers.push(number);
        }
    }

    fn fill(&mut self, rows: usize) {
        match self {
            CellColumn::Names(names) => names.fill(rows),
            CellColumn::Texts(texts) => texts.fill(rows),
            CellColumn::Numbers(numbers) if numbers.is_empty() => {}
            CellColumn::Numbers(numbers) => numbers.resize(rows, NO_NUMBER),
            CellColumn::Hashes(_) => {}
            CellColumn::Map(map) => map.fill(rows),
        }
    }

    fn reorder(&mut self, order: &mut Order) {
        match self {
            CellColumn::Names(names) => {
                Order::apply(&order.rows, names.keys_mut(), &mut order.spare)
            }
            CellColumn::Texts(_) => {}
            CellColumn::Numbers(numbers) => {
                Order::apply(&order.rows, numbers, &mut order.spare_numbers)
            }
            CellColumn::Hashes(hashes) => {
                Order::apply(&order.rows, hashes, &mut order.spare_hashes)
            }
            CellColumn::Map(map) => map.reorder(order),
        }
    }

    fn cells<'c>(&'c self, order: &'c [u32]) -> Cells<'c> {
        match self {
            CellColumn::Names(column) => {
                Cells::Names { keys: column.keys(), names: column.names.all() }
            }
            CellColumn::Texts(texts) => {
                Cells::Texts { order, texts: Texts { bytes: &texts.bytes, ends: &texts.ends } }
            }
            CellColumn::Numbers(numbers) => Cells::Numbers(numbers),
            CellColumn::Hashes(hashes) => Cells::Hashes(hashes),
            CellColumn::Map(map) => Cells::Map {
                ends: &map.ends,
                keys: (map.keys.keys(), map.keys.names.all()),
                values: (map.values.keys(), map.values.names.all()),
            },
        }
    }

    fn clear(&mut self) {
        match self {
            CellColumn::Names(names) => names.clear_rows(),
            CellColumn::Texts(texts) => {
                texts.bytes.clear();
                texts.ends.clear();
            }
            CellColumn::Numbers(numbers) => numbers.clear(),
            CellColumn::Hashes(hashes) => hashes.clear(),
            CellColumn::Map(map) => {
                map.ends.clear();
                map.keys.clear_rows();
                map.values.clear_rows();
            }
        }
    }
}

impl TextColumn {
    fn push(&mut self, row: usize, text: &[u8]) {
        self.pad(row);
        self.bytes.extend_from_slice(text);
        self.ends.push(end(&self.bytes));
    }

    /// The text of a row; empty where it has none.
    fn get(&self, row: usize) -> &[u8] {
        let texts = Texts { bytes: &self.bytes, ends: &self.ends };
        if row < texts.len() { texts.get(row) } else { b"" }
    }

    fn fill(&mut self, rows: usize) {
        if !self.ends.is_empty() {
            self.pad(rows);
        }
    }

    fn pad(&mut self, rows: usize) {
        if self.ends.len() < rows {
            self.ends.resize(rows, end(&self.bytes));
        }
    }
}

fn end(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a run is smaller than 4 GB")
}

impl MapColumn {
    /// Adds the fields that no column takes.
    fn add_extra<'l>(
        &mut self,
        row: usize,
        line: &Line<'_, 'l>,
        plan: &Plan,
        stored: impl Fn(Cow<'l, [u8]>) -> Cow<'l, [u8]>,
    ) {
        let is_empty = |at: &usize| line.field(*at).is_empty();
        for Extra { field, key, is_header, unless_empty, after } in &plan.extra {
            let value = line.field(*field);
            let is_taken = !unless_empty.is_empty() && unless_empty.iter().all(is_empty);
            if !value.is_empty() && !is_taken {
                let is_first = after.as_ref().is_some_and(is_empty);
                let key = if is_first { &plan.fields[*field] } else { key };
                let text = value.text();
                let text = if *is_header { decoded(text) } else { text };
                self.add(row, key.as_bytes(), &stored(text));
            }
        }
    }

    /// The value of the first entry of a row whose key is the one looked for.
    fn find(&self, row: usize, is_it: impl Fn(&[u8]) -> bool) -> Option<&[u8]> {
        let end = *self.ends.get(row)?;
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        let mut entries = start as usize..end as usize;
        let found = entries.find(|&entry| is_it(self.keys.names.get(self.keys.keys()[entry])))?;
        Some(self.values.names.get(self.values.keys()[found]))
    }

    /// Adds an entry to the last row, which is numbered `row`.
    fn add(&mut self, row: usize, key: &[u8], value: &[u8]) {
        let entry = self.keys.keys().len();
        self.pad(row + 1, entry);
        let key = self.keys.set(entry, key) as usize;
        self.repetition.resize(self.repetition.len().max(key + 1), Repetition::default());
        let value = self.repetition[key].key(value, &mut self.values.names);
        self.values.set_key(entry, value);
        self.ends[row] += 1;
    }

    fn fill(&mut self, rows: usize) {
        if !self.ends.is_empty() {
            self.pad(rows, self.keys.keys().len());
        }
    }

    fn reorder(&mut self, order: &Order) {
        if self.ends.is_empty() {
            return;
        }
        let (mut ends, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for &row in &order.rows {
            let row = row as usize;
            let start = if row == 0 { 0 } else { self.ends[row - 1] };
            let entries = start as usize..self.ends[row] as usize;
            keys.extend_from_slice(&self.keys.keys()[entries.clone()]);
            values.extend_from_slice(&self.values.keys()[entries]);
            ends.push(u32::try_from(keys.len()).expect("a run has fewer entries than u32"));
        }
        self.ends = ends;
        *self.keys.keys_mut() = keys;
        *self.values.keys_mut() = values;
    }

    fn pad(&mut self, rows: usize, entries: usize) {
        if self.ends.len() < rows {
            let entries = u32::try_from(entries).expect("a run has fewer entries than u32");
            self.ends.resize(rows, entries);
        }
    }
}
