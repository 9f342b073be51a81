//! A report: a name of a file of `sql/`, whose header makes the command line, the help and the
//! docs. Never runs anything.
//!
//! To add one: 1. write `sql/<name>.sql` with a header like the others; 2. run the tests with
//! `UPDATE=1`; 3. look at the golden file that they made.

use std::cell::Cell;
use std::collections::BTreeMap;

use pmtaq_schema::nearest::nearest;
use pmtaq_schema::size::parse_duration_s;
use pmtaq_schema::{Column, Records, Timestamp, Window};

use crate::dimension::{Dimension, Reads, dimension};
use crate::error::{Error, Result};
use crate::judged::Judged;
use crate::metric::metric;
use crate::param::{Param, ParamKind};
use crate::query::{Meaning, Query, Value};
use crate::scope::{Reach, Scope};
use crate::selection::Selection;

/// A canned question.
#[derive(Clone, Debug)]
pub struct Report {
    /// Name of the command. Two words are a command and a subcommand.
    pub name: String,
    /// Heading.
    pub title: String,
    /// Sentences for the help.
    pub help: String,
    /// The record types without which it says nothing.
    pub needs: Records,
    /// The record types without which some of its columns say nothing.
    pub uses: Records,
    /// The fields without which some of its columns say nothing.
    pub fields: Vec<&'static Column>,
    /// How long its window is when none is asked for, up to the newest record, in seconds; none for
    /// all times.
    pub window_s: Option<i64>,
    /// What it reads beside the window.
    pub reach: Reach,
    /// What can be set.
    pub params: Vec<Param>,
    /// Units of the columns, by name.
    pub units: BTreeMap<String, ColumnUnit>,
    /// Kind, x and y of the chart; a word may be the name of a parameter, which stands for its
    /// value.
    pub chart: Option<String>,
    /// Reports that answer the next question.
    pub see: Vec<String>,
    /// `groups`: the dimensions that its rows are of, where no `rollup` says so.
    pub groups: Vec<String>,
    /// `matched`: the record types that it gives the dimensions of their deliveries.
    pub matched: Records,
    /// What it answers with.
    pub statement: Statement,
    /// Other statements, each for when the parameter is given, or has a value: the lines after
    /// `-- given: NAME` or `-- given: NAME=VALUE`.
    pub variants: Vec<(String, Statement)>,
}

/// What the header says of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnUnit {
    /// What its values mean.
    Is(Meaning),
    /// They are those of the metric that the named parameter chooses.
    OfMetric(String),
}

/// A statement of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// The SQL.
    pub sql: String,
    /// `rollup`: the dimensions that it reads, and parameters that are one, when all else that it
    /// counts are metrics, so that `hourly` may answer it.
    pub rollup: Option<Vec<String>>,
    /// `few of` before them: it keeps few of the groups by these, and adds up no others.
    pub keeps_few: bool,
    /// `cluster`: the query of its `with` up to which an engine elsewhere runs it.
    pub cut_at: Option<String>,
}

const KEYS: [&str; 16] = [
    "name", "title", "help", "needs", "uses", "window", "reach", "arg", "param", "column", "chart",
    "see", "groups", "matched", "rollup", "cluster",
];

/// The parameter that says how many rows are shown.
const TOP: &str = "top";

/// The parameter that says whether rows are sorted by a dimension of time, before all else.
const IN_TIME: &str = "in_time";

impl Report {
    /// Reads a report file called `<stem>.sql`: a report for each of its names.
    ///
    /// # Errors
    /// [`Error::BadReport`] for an unknown key, a missing one, or a value of another form.
    pub fn parse(stem: &str, text: &str) -> Result<Vec<Report>> {
        let line = Cell::new(0);
        let bad = |what: String| {
            let (file, line) = (format!("{stem}.sql"), line.get().max(1));
            Error::BadReport { file, line, what }
        };
        let mut report = Report {
            name: String::new(),
            title: String::new(),
            help: String::new(),
            needs: Records::of(&[]),
            uses: Records::of(&[]),
            fields: Vec::new(),
            window_s: None,
            reach: Reach::Window,
            params: Vec::new(),
            units: BTreeMap::new(),
            chart: None,
            see: Vec::new(),
            groups: Vec::new(),
            matched: Records::default(),
            statement: Statement::default(),
            variants: Vec::new(),
        };
        let mut names = Vec::new();
        let mut lines = text.lines().peekable();
        while let Some(text) = lines.next_if(|line| line.starts_with("-- ")) {
            line.set(line.get() + 1);
            let (key, value) = text[3..]
                .split_once(':')
                .map(|(key, value)| (key.trim(), value.trim().to_owned()))
                .ok_or_else(|| bad(format!("`{text}` is not `-- key: value`")))?;
            match key {
                "name" => names.push(value),
                "title" => report.title = value,
                "help" if report.help.is_empty() => report.help = value,
                "help" => report.help = format!("{} {value}", report.help),
                "needs" => report.needs = Records::parse(&value).map_err(&bad)?,
                "uses" => report.uses(&value).map_err(&bad)?,
                "window" => {
                    let seconds = parse_duration_s(&value).filter(|seconds| *seconds > 0);
                    report.window_s =
                        Some(seconds.ok_or_else(|| bad(format!("window `{value}`")))?);
                }
                "reach" => {
                    report.reach = match value.split_once(' ') {
                        None if value == "previous" => Reach::Previous,
                        Some(("before", name)) => Reach::Before(name.to_owned()),
                        Some(("after", name)) => Reach::After(name.to_owned()),
                        Some(("around", name)) => Reach::Around(name.to_owned()),
                        _ => return Err(bad(format!("reach `{value}`"))),
                    }
                }
                "arg" => report.params.push(Param::parse(&value, true).map_err(&bad)?),
                "param" => report.params.push(Param::parse(&value, false).map_err(&bad)?),
                "column" => {
                    let unit = value
                        .split_once(' ')
                        .and_then(|(name, unit)| Some((name.to_owned(), report.unit(unit)?)));
                    report.units.extend([unit.ok_or_else(|| bad(format!("column `{value}`")))?]);
                }
                "chart" => report.chart = Some(value),
                "rollup" => report.statement.roll_up(&value),
                "cluster" => report.statement.cut_at = Some(value),
                "see" => report.see = list(&value),
                "groups" => report.groups = list(&value),
                "matched" => report.matched = Records::parse(&value).map_err(&bad)?,
                unknown => {
                    let hint = nearest(unknown, KEYS).unwrap_or("help");
                    return Err(bad(format!("unknown key `{unknown}`; did you mean `{hint}`?")));
                }
            }
        }
        let body = lines.collect::<Vec<_>>().join("\n");
        let mut statements = body.split("\n-- given: ");
        report.statement.sql = statements.next().unwrap_or_default().to_owned();
        for (param, sql) in statements.filter_map(|statement| statement.split_once('\n')) {
            let (name, _) = param.split_once('=').unwrap_or((param, ""));
            if !report.params.iter().any(|known| known.name == name) {
                return Err(bad(format!("given `{param}`, which is no parameter")));
            }
            report.variants.push((param.to_owned(), Statement::variant(sql)));
        }
        let statements = report.variants.iter().map(|(_, of)| of).chain([&report.statement]);
        for name in statements.flat_map(|of| of.rollup.iter().flatten()).chain(&report.groups) {
            report.rolled_up(name, &[]).map_err(|error| bad(format!("rollup: {error}")))?;
        }
        if let Reach::Before(name) | Reach::After(name) | Reach::Around(name) = &report.reach
            && !report
                .params
                .iter()
                .any(|param| param.name == *name && matches!(param.kind, ParamKind::Duration))
        {
            return Err(bad(format!("reach `{name}`, which is no duration")));
        }
        let several = names.len() > 1;
        let named = names.iter().map(|name| report.under_name(name, several).map_err(&bad));
        let reports = named.collect::<Result<Vec<_>>>()?;
        let complete = |r: &Report| !r.title.is_empty() && !r.help.is_empty();
        let is_first = reports.first().is_some_and(|report| report.name.replace(' ', "-") == stem);
        if !is_first || !reports.iter().all(complete) || report.needs == Records::of(&[]) {
            return Err(bad("name (as the file), title, help and needs must be there".to_owned()));
        }
        Ok(reports)
    }

    /// The report under one of its names: `name parameter=value ...  Title`.
    fn under_name(&self, line: &str, several: bool) -> std::result::Result<Report, String> {
        let mut report = self.clone();
        let (spec, title) = line.split_once("  ").unwrap_or((line, ""));
        if !title.is_empty() {
            report.title = title.trim().to_owned();
        }
        if several {
            report.help = format!("{}: {}", report.title, self.help);
        }
        let (sets, words): (Vec<&str>, Vec<&str>) =
            spec.split_whitespace().partition(|word| word.contains('='));
        report.name = words.join(" ");
        for (name, value) in sets.iter().filter_map(|set| set.split_once('=')) {
            let param = report.params.iter_mut().find(|param| param.name == name);
            let param = param.ok_or_else(|| format!("no parameter `{name}` to set"))?;
            (param.default, param.fixed) = (Some(value.to_owned()), true);
        }
        Ok(report)
    }

    /// Reads record types and columns, separated by commas.
    fn uses(&mut self, list: &str) -> std::result::Result<(), String> {
        let (fields, records): (Vec<&str>, Vec<&str>) =
            list.split(',').map(str::trim).partition(|word| Column::index(word).is_some());
        self.uses = Records::parse(&records.join(","))?;
        let columns = fields.iter().filter_map(|name| Column::index(name));
        self.fields = columns.map(|at| &pmtaq_schema::COLUMNS[at]).collect();
        Ok(())
    }

    /// Reads a unit, which may be that of a metric to be chosen.
    fn unit(&self, text: &str) -> Option<ColumnUnit> {
        let is_metric =
            |param: &Param| param.name == text && matches!(param.kind, ParamKind::Metric);
        if self.params.iter().any(is_metric) {
            return Some(ColumnUnit::OfMetric(text.to_owned()));
        }
        Meaning::parse(text).map(ColumnUnit::Is)
    }

    /// What can be set on the command line.
    pub fn settable(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|param| !param.fixed)
    }

    /// Whether it has windows of its own, instead of the one that every report has.
    pub fn has_own_windows(&self) -> bool {
        self.params.iter().any(|param| matches!(param.kind, ParamKind::Window))
    }

    /// The windows among what was given, each with the name of its parameter.
    pub fn own_windows(&self, given: &[(String, String)]) -> impl Iterator<Item = (&str, Window)> {
        let own = self.params.iter().filter(|param| matches!(param.kind, ParamKind::Window));
        own.filter_map(|param| {
            let (since, until) = value_of(&param.name, given)?.split_once('/')?;
            let time = |text: &str| Timestamp::parse(text.as_bytes());
            Some((param.name.as_str(), Window { since: time(since)?, until: time(until)? }))
        })
    }

    /// What must be read when `window` is asked for. `now` ends a window that is open.
    pub fn scope(&self, given: &[(String, String)], window: Window, now: Timestamp) -> Scope {
        let own = || self.own_windows(given).map(|(_, window)| window);
        if let (Some(since), Some(until)) =
            (own().map(|w| w.since).min(), own().map(|w| w.until).max())
        {
            let window = Window { since, until };
            return Scope { window, reads: window };
        }
        // What is asked of a moment reads around it and no further.
        let window = match (self.moment(given), &self.reach) {
            (Some(at), Reach::Around(_)) if window == Window::ALL => {
                Window { since: at, until: Timestamp(at.0 + 1) }
            }
            _ => window,
        };
        let (before, after) = match &self.reach {
            Reach::Window => (0, 0),
            Reach::Previous => ((window.until.0.min(now.0) - window.since.0).max(0), 0),
            Reach::Before(name) => (self.seconds(name, given), 0),
            Reach::After(name) => (0, self.seconds(name, given)),
            Reach::Around(name) => (self.seconds(name, given), self.seconds(name, given)),
        };
        let since = Timestamp(window.since.0.saturating_sub(before).max(Window::ALL.since.0));
        let until = Timestamp(window.until.0.saturating_add(after).min(Window::ALL.until.0));
        Scope { window, reads: Window { since, until } }
    }

    /// The moment that is asked for, among what was given.
    pub fn moment(&self, given: &[(String, String)]) -> Option<Timestamp> {
        let times = self.params.iter().filter(|param| matches!(param.kind, ParamKind::Time));
        let mut given = times.filter_map(|param| value_of(&param.name, given));
        Timestamp::parse(given.next()?.as_bytes())
    }

    /// What the columns mean, when the parameters have these values.
    fn meanings(&self, given: &[(String, String)]) -> Result<BTreeMap<String, Meaning>> {
        let mut meanings = BTreeMap::new();
        for (column, unit) in &self.units {
            let meaning = match unit {
                ColumnUnit::Is(meaning) => meaning.clone(),
                ColumnUnit::OfMetric(param) => {
                    let Some(name) = self.value(param, given) else { continue };
                    let metric = metric(name)?;
                    // Not below the denominator's own name, since there may be several.
                    let of = metric.of.as_ref().map(|_| format!("{column}_of"));
                    let of = of.filter(|of| self.units.contains_key(of));
                    Meaning { unit: metric.unit, of }
                }
            };
            meanings.insert(column.clone(), meaning);
        }
        Ok(meanings)
    }

    /// What its metrics are of.
    fn judged(&self, given: &[(String, String)], selection: &Selection) -> Judged {
        let statement = self.statement(given);
        let rolled_up = statement.rollup.iter().flatten().chain(&self.groups);
        let names = rolled_up.filter(|name| *name != "rec");
        let by = names.filter_map(|name| self.rolled_up(name, given).ok().flatten());
        let chosen = self.params.iter().filter_map(|param| {
            let is_dimension = matches!(param.kind, ParamKind::Dimension);
            self.value(&param.name, given).filter(|_| is_dimension).map(dimension)
        });
        let by = by.chain(chosen.filter_map(Result::ok));
        Judged { matched: self.matched, is_asked: true, ..Judged::new(by, selection) }
    }

    /// The value of a parameter: what is given, or its default.
    fn value<'v>(&'v self, name: &str, given: &'v [(String, String)]) -> Option<&'v str> {
        let param = self.params.iter().find(|param| param.name == name);
        value_of(name, given).or(param.and_then(|param| param.default.as_deref()))
    }

    /// How many rows are shown, 0 for all, if the report has a parameter for it. Times are shown all.
    pub fn top(&self, given: &[(String, String)]) -> Option<u32> {
        let is_top = |param: &&Param| param.name == TOP && matches!(param.kind, ParamKind::Int);
        let default = self.params.iter().find(is_top)?.default.as_deref();
        let default = || if self.time_of(given).is_some() { Some("0") } else { default };
        value_of(TOP, given).or_else(default)?.parse().ok()
    }

    /// The parameter that is a dimension of time, for what is `given`.
    fn time_of(&self, given: &[(String, String)]) -> Option<&str> {
        let is_time = |param: &&Param| {
            let dimension = self.value(&param.name, given).and_then(|name| dimension(name).ok());
            matches!(param.kind, ParamKind::Dimension) && dimension.is_some_and(Dimension::is_time)
        };
        self.params.iter().find(is_time).map(|param| param.name.as_str())
    }

    /// The value of a duration; 0 for what is none, which [`Report::query`] refuses.
    fn seconds(&self, name: &str, given: &[(String, String)]) -> i64 {
        self.value(name, given).and_then(parse_duration_s).unwrap_or(0)
    }

    /// The dimension that `name` of a line `rollup` means: that of the parameter, if it is one and
    /// has a value.
    fn rolled_up(
        &self,
        name: &str,
        given: &[(String, String)],
    ) -> Result<Option<&'static Dimension>> {
        match self.params.iter().find(|param| param.name == name) {
            Some(param) if matches!(param.kind, ParamKind::Dimension) => {
                let value = value_of(name, given).or(param.default.as_deref());
                value.map(dimension).transpose()
            }
            _ => dimension(name).map(Some),
        }
    }

    /// The statement that answers when `given` is given.
    pub(crate) fn statement(&self, given: &[(String, String)]) -> &Statement {
        let is_given = |name: &str| match name.split_once('=') {
            Some((name, wanted)) => self.value(name, given) == Some(wanted),
            None => self.value(name, given).is_some_and(|value| value != "false"),
        };
        let variant = self.variants.iter().find(|(name, _)| is_given(name));
        variant.map_or(&self.statement, |(_, statement)| statement)
    }

    /// `selection`, narrowed by what was given for parameters that filter.
    pub fn narrowed(&self, given: &[(String, String)], selection: &Selection) -> Selection {
        let mut narrowed = selection.clone();
        for param in &self.params {
            if let ParamKind::Filter(dimension) = param.kind
                && let Some(value) = value_of(&param.name, given)
            {
                narrowed.filter(dimension.name, vec![value.to_owned()]);
            }
        }
        narrowed
    }

    /// The question, with `given` values and for what `selection` lets through.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a parameter that the report does not have, [`Error::BadValue`] for
    /// a value of another form.
    pub fn query(
        &self,
        given: &[(String, String)],
        selection: &Selection,
        scope: Scope,
    ) -> Result<Query> {
        let statement = self.statement(given);
        let (sql, cut_at) = (scope.compared(&statement.sql), statement.cut_at.clone());
        let mut query = Query { sql, cut_at, ..Query::default() };
        for (name, _) in given {
            let known = || self.settable().map(|param| param.name.as_str());
            if !known().any(|known| known == name) {
                return Err(Error::unknown("parameter", name, known()));
            }
        }
        let time = self.time_of(given);
        if let Some(by) = time {
            query.sql = in_time(&query.sql, by);
        }
        query.values.insert(IN_TIME.to_owned(), Value::Bool(time.is_some()));
        for param in &self.params {
            let default = param.default.as_deref().filter(|_| !param.kind.is_time());
            if let Some(value) = value_of(&param.name, given).or(default) {
                param.set(value, &mut query)?;
            }
        }
        if let Some(top) = self.top(given) {
            query.values.insert(TOP.to_owned(), Value::Int(top.into()));
        }
        query.units = self.meanings(given)?;
        for (name, time) in [
            ("since", scope.window.since),
            ("until", scope.window.until),
            ("reads", scope.reads.since),
        ] {
            query.values.insert(name.to_owned(), Value::Time(time));
        }
        query.judged = self.judged(given, &self.narrowed(given, selection));
        let reads = statement.rollup.as_ref().and_then(|names| {
            let dimensions = names.iter().filter_map(|name| self.rolled_up(name, given).ok()?);
            let reads = Reads::of(dimensions)?;
            Some(Reads { keeps_few: statement.keeps_few, ..reads })
        });
        query.ask(&self.narrowed(given, selection), reads.as_ref())?;
        Ok(query)
    }
}

impl Statement {
    /// Takes the value of a line `rollup`.
    fn roll_up(&mut self, names: &str) {
        let few = names.strip_prefix("few of ");
        (self.keeps_few, self.rollup) = (few.is_some(), Some(list(few.unwrap_or(names))));
    }

    /// What follows a line `-- given: NAME`.
    fn variant(text: &str) -> Statement {
        let mut statement = Statement::default();
        let mut rest = text;
        while let Some((line, after)) = rest.split_once('\n') {
            match line.split_once(": ") {
                Some(("-- rollup", names)) => statement.roll_up(names),
                Some(("-- cluster", name)) => statement.cut_at = Some(name.to_owned()),
                _ => break,
            }
            rest = after;
        }
        Statement { sql: rest.to_owned(), ..statement }
    }
}

/// `sql` with its rows sorted by the times that the parameter `by` chooses, before all else.
fn in_time(sql: &str, by: &str) -> String {
    const LAST: &str = "\norder by ";
    let is_shown = sql.contains(&format!("as \"{by}\""));
    match sql.rsplit_once(LAST).filter(|_| is_shown) {
        Some((before, order)) => format!("{before}{LAST}in_time(\"{by}\"), {order}"),
        None => sql.to_owned(),
    }
}

/// Names, separated by commas.
fn list(names: &str) -> Vec<String> {
    names.split(',').map(|name| name.trim().to_owned()).collect()
}

/// What was given for a parameter; the last of several.
fn value_of<'g>(name: &str, given: &'g [(String, String)]) -> Option<&'g str> {
    given.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use pmtaq_schema::Unit;

    use super::*;

    const HEAD: &str = "-- name: x\n-- title: X\n-- help: About x.\n-- needs: d\n";

    fn parse(stem: &str, text: &str) -> std::result::Result<Vec<Report>, String> {
        Report::parse(stem, text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_header_makes_a_report() {
        let text =
            format!("{HEAD}-- param: by choice(a,b) = a  what by\n-- column: n count\nselect 1\n");
        let report = &parse("x", &text).expect("a report")[0];
        assert!(matches!(&report.params[0].kind, ParamKind::Choice(list) if *list == ["a", "b"]));
        assert_eq!(report.units["n"], ColumnUnit::Is(Unit::Count.into()));
        assert_eq!(report.statement.sql, "select 1");
        let given = [("by".to_owned(), "c'".to_owned())];
        let error = report.query(&given, &Selection::default(), Scope::ALL).expect_err("no choice");
        assert_eq!(error.to_string(), "--by `c'` is not one of a, b");
    }

    #[test]
    fn a_file_with_several_names_makes_several_reports() {
        let text = "-- name: x by=vmta  Vees\n-- name: two words by=job  Jobs\n\
                    -- help: all about it.\n-- needs: d\n-- param: by dimension  By\nselect by()";
        let reports = parse("x", text).expect("two reports");
        assert_eq!((reports[0].name.as_str(), reports[1].name.as_str()), ("x", "two words"));
        assert_eq!(reports[1].help, "Jobs: all about it.");
        let query =
            |given: &[(String, String)]| reports[1].query(given, &Selection::default(), Scope::ALL);
        assert!(query(&[]).expect("a query").sql.ends_with("select (job_id)"));
        assert!(query(&[("by".to_owned(), "vmta".to_owned())]).is_err());
        assert_eq!(reports[1].settable().count(), 0);
    }

    #[test]
    fn a_parameter_that_is_given_may_choose_the_statement() {
        let text = format!("{HEAD}-- param: all flag  All\nselect 1\n-- given: all\nselect 2\n");
        let report = &parse("x", &text).expect("a report")[0];
        let sql = |value: &str| &*report.statement(&[("all".to_owned(), value.to_owned())]).sql;
        assert_eq!((sql("false"), sql("true")), ("select 1", "select 2"));
        assert_eq!(report.statement(&[]).sql, "select 1");
        assert!(parse("x", &text.replace("given: all", "given: some")).is_err());
        let report =
            &parse("x", &text.replace("given: all", "given: all=yes")).expect("a report")[0];
        let sql = |value: &str| &*report.statement(&[("all".to_owned(), value.to_owned())]).sql;
        assert_eq!((sql("no"), sql("yes")), ("select 1", "select 2"));
    }

    #[test]
    fn a_slip_in_a_header_is_named() {
        let error = parse("x", &format!("{HEAD}-- colum: n count\n")).expect_err("a slip");
        assert_eq!(error, "report x.sql:5: unknown key `colum`; did you mean `column`?");
        for slip in [
            "uses: q",
            "window: soon",
            "reach: far",
            "reach: before far",
            "param: by  x",
            "name: y by=1",
        ] {
            assert!(parse("x", &format!("{HEAD}-- {slip}\n")).is_err(), "{slip}");
        }
        assert!(parse("y", HEAD).is_err());
    }

    #[test]
    fn a_report_reads_what_it_reaches() {
        let scope = |lines: &str, given: &[(&str, &str)]| {
            let report = &parse("x", &format!("{HEAD}{lines}")).expect("a report")[0];
            let given: Vec<_> =
                given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let window =
                Window { since: Timestamp(1_772_300_000), until: Timestamp(1_772_400_000) };
            let Scope { window, reads } = report.scope(&given, window, Timestamp(1_772_310_000));
            (window.since.0, reads.since.0, reads.until.0)
        };
        assert_eq!(scope("", &[]), (1_772_300_000, 1_772_300_000, 1_772_400_000));
        assert_eq!(
            scope("-- reach: previous\n", &[]),
            (1_772_300_000, 1_772_290_000, 1_772_400_000)
        );
        let reach =
            |to: &str| format!("-- reach: {to} far\n-- param: far duration = 1h  How far\n");
        assert_eq!(scope(&reach("before"), &[]), (1_772_300_000, 1_772_296_400, 1_772_400_000));
        assert_eq!(
            scope(&reach("around"), &[("far", "1m")]),
            (1_772_300_000, 1_772_299_940, 1_772_400_060)
        );
        assert_eq!(scope(&reach("after"), &[]), (1_772_300_000, 1_772_300_000, 1_772_403_600));
        let own = "-- param: a window  A\n-- param: b window  B\n";
        let given = [("a", "1772000003/1772000004"), ("b", "1772000001/1772000002")];
        assert_eq!(scope(own, &given), (1_772_000_001, 1_772_000_001, 1_772_000_004));
    }
}
