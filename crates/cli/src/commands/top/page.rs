//! What a question of `top` came to: groups with their metrics, or records. Holds texts that are
//! harmless already, and the numbers to sort by; asks nothing.

use pmtaq_schema::Window;

/// An answer, with the window that it is about.
#[derive(Clone, Debug)]
pub(super) struct WindowAnswer {
    pub(super) window: Window,
    pub(super) body: Body,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    Groups(Box<Groups>),
    Records(Records),
}

/// The groups of a dimension.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    /// The metrics, in the order of the cells.
    pub(super) metrics: Vec<String>,
    pub(super) rows: Vec<Group>,
    /// All groups beyond the largest, summed up.
    pub(super) other: Option<Group>,
    pub(super) total: Option<Group>,
    /// How long a step of the trend is.
    pub(super) step: String,
}

/// A group and its cells.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// The value as the store has it.
    pub(super) value: String,
    /// The value as it is shown.
    pub(super) label: String,
    /// The metrics as they are shown.
    pub(super) texts: Vec<String>,
    /// The metrics as numbers; none where there is none.
    pub(super) numbers: Vec<Option<f64>>,
    /// The chosen metric, step by step; none where nothing happened.
    pub(super) trend: Vec<Option<f64>>,
}

/// Records, newest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    /// The names of the fields.
    pub(super) fields: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// Whether there may be more than these.
    pub(super) more: bool,
}

impl Records {
    /// A field of a record by its name.
    pub(super) fn field<'r>(&self, row: &'r [String], name: &str) -> &'r str {
        let at = self.fields.iter().position(|field| field == name);
        at.and_then(|at| row.get(at)).map_or("", String::as_str)
    }
}

impl WindowAnswer {
    /// How many rows can be chosen from.
    pub(super) fn len(&self) -> usize {
        match &self.body {
            Body::Groups(groups) => groups.rows.len(),
            Body::Records(records) => records.rows.len(),
        }
    }

    /// The text of a row that a filter looks into and that knows it again in the next answer.
    pub(super) fn key(&self, row: usize) -> String {
        match &self.body {
            Body::Groups(groups) => groups.rows.get(row).map(|group| group.label.clone()),
            Body::Records(records) => records.rows.get(row).map(|row| row.join(" ")),
        }
        .unwrap_or_default()
    }

    /// The rows whose text holds `needle`, in any case of letters, sorted by a metric.
    pub(super) fn order(&self, needle: &str, metric: &str, ascending: bool) -> Vec<usize> {
        let needle = needle.to_lowercase();
        let holds =
            |row: &usize| needle.is_empty() || self.key(*row).to_lowercase().contains(&needle);
        let mut rows: Vec<usize> = (0..self.len()).filter(holds).collect();
        if let Body::Groups(groups) = &self.body {
            let at = groups.metrics.iter().position(|name| name == metric);
            let number =
                |row: usize| at.and_then(|at| groups.rows[row].numbers.get(at).copied()?);
            let is_weak = |row: usize| {
                at.and_then(|at| groups.rows[row].texts.get(at)).is_some_and(|t| t.starts_with('~'))
            };
            // In either direction a rate of few, which is mostly chance, comes behind the others,
            // and what has no number behind that.
            let class = |row: usize| (number(row).is_none(), is_weak(row));
            rows.sort_by(|&a, &b| {
                let (x, y) = (number(a).unwrap_or(0.0), number(b).unwrap_or(0.0));
                let by_number = if ascending { x.total_cmp(&y) } else { y.total_cmp(&x) };
                class(a).cmp(&class(b)).then(by_number)
            });
        }
        rows
    }
}
