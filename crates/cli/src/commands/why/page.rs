//! The answer of `why` as a page for people: the funnel, the causes, what stays unexplained.
//! Computes nothing but shares; texts of strangers are shown escaped.

use std::fmt::Write as _;

use pmtaq_query::{FILTERS, Filter, Marked};
use pmtaq_render::words::{count, cut, duration, percent, visible};
use pmtaq_schema::explain::explain;
use pmtaq_schema::{Timestamp, Zone};
use pmtaq_why::{Cause, Metric, Part, Reading, Stage, Step, Verdict};

use super::evidence::{Evidence, MAX_CAUSES, Onset};
use super::explanation::Explanation;
use crate::command_line::{CommandLine, equals};

/// Of several that changed in a volume, how many are told.
const MAX_SCOPES: usize = 3;

/// The page; its lines cut to `width` columns, if that is given.
pub(crate) fn text(told: &Explanation, zone: Zone, width: Option<u16>) -> String {
    let page = Page::new(told, zone, width);
    let mut out = String::new();
    if told.n_in_window == 0 {
        page.line(&mut out, 0, &format!("{}: no records in this window", told.answer.metric.name));
        return out;
    }
    page.headline(&mut out);
    if told.answer.verdict == Verdict::TooLittle {
        page.too_little(&mut out);
        return out;
    }
    page.funnel(&mut out);
    for (number, cause) in told.answer.causes.iter().take(MAX_CAUSES).enumerate() {
        let nothing = Evidence::default();
        page.cause(number + 1, cause, told.evidence.get(number).unwrap_or(&nothing), &mut out);
    }
    page.mix(&mut out);
    page.rest(&mut out);
    out
}

/// What stands below the line of a rate, with a blank before it.
fn entering(metric: &Metric) -> &'static str {
    match metric.stages {
        [Stage::Deferrals] => " attempts",
        [Stage::Bounce] => " sent",
        [Stage::Complaints | Stage::Latency | Stage::Encryption] => " deliveries",
        _ => "",
    }
}

/// What a reply means and what helps, in a sentence or two.
pub(crate) fn meaning(reply: &str) -> Option<String> {
    explain(reply)
        .first()
        .map(|entry| format!("{} {}", entry.meaning, entry.remedy).replace('`', ""))
}

/// A text in lines of at most `room` columns, cut between words.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut().filter(|line| line.chars().count() + word.chars().count() < room) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The words of an answer.
pub(crate) struct Page<'t> {
    told: &'t Explanation,
    zone: Zone,
    width: usize,
}

impl<'t> Page<'t> {
    pub(crate) fn new(told: &'t Explanation, zone: Zone, width: Option<u16>) -> Page<'t> {
        Page { told, zone, width: width.map_or(usize::MAX, usize::from) }
    }

    fn line(&self, out: &mut String, indent: usize, text: &str) {
        let room = self.width.saturating_sub(indent);
        let _ = writeln!(out, "{:indent$}{}", "", cut(text, room));
    }

    /// A number of the metric.
    pub(crate) fn value(&self, n: f64) -> String {
        if self.told.answer.metric.is_rate() { percent(n) } else { count(n) }
    }

    /// A change of the metric, with its sign; of a rate in percentage points.
    pub(crate) fn change(&self, n: f64) -> String {
        let text = if self.told.answer.metric.is_rate() {
            format!("{:.2} points", n.abs())
        } else {
            count(n.abs())
        };
        // What is rounded to nothing has no sign.
        let is_nothing = !text.contains(|digit: char| ('1'..='9').contains(&digit));
        format!("{}{text}", if n < 0.0 && !is_nothing { "-" } else { "+" })
    }

    /// The metric in the window, and what is usual.
    pub(crate) fn now_and_usual(&self) -> String {
        let (answer, own) = (&self.told.answer, self.told.own);
        let (now, usual) = own.map_or((answer.now, answer.usual), |own| (own.now, own.usual));
        let value = |n: f64| match (own, answer.metric.mark) {
            (Some(_), Some(_)) => duration(n),
            (Some(_), None) => percent(n),
            (None, _) => self.value(n),
        };
        format!("{} {}, usually {}", answer.metric.name, value(now), value(usual))
    }

    fn headline(&self, out: &mut String) {
        let answer = &self.told.answer;
        let (low, high) = answer.range;
        let mut text = format!("{} {}", answer.metric.name, self.value(answer.now));
        if let Some(own) = self.told.own {
            let is_time = answer.metric.mark.is_some();
            let value = |n: f64| if is_time { duration(n) } else { percent(n) };
            text = format!("{} {}", answer.metric.name, value(own.now));
            if !self.told.baseline.is_empty() {
                let (low, high) = (value(own.lowest), value(own.highest));
                let _ = write!(text, ", usually {} ({low} to {high})", value(own.usual));
            }
            self.line(out, 0, &text);
            text = if is_time {
                format!("later than {}: {}", value(own.usual), self.value(answer.now))
            } else {
                format!("of deliveries since a day before: {}", self.value(answer.now))
            };
        }
        if let Some((now, _)) = answer.of {
            let _ = write!(text, " of {}{}", count(now), entering(answer.metric));
        }
        if self.told.baseline.is_empty() {
            let _ = writeln!(out, "{text}");
            return;
        }
        let _ = write!(text, ", usually {}", self.value(answer.usual));
        if self.told.baseline.len() > 1 {
            let _ = write!(text, " ({} to {})", self.value(low), self.value(high));
        }
        let change = answer.now - answer.usual;
        let _ = write!(text, ": {}", self.change(change));
        if !answer.metric.is_rate() && answer.usual > 0.0 {
            let share = 100.0 * change / answer.usual;
            let _ =
                write!(text, ", {}{}", if share < 0.0 { "-" } else { "+" }, percent(share.abs()));
        }
        self.line(out, 0, &text);
    }

    fn too_little(&self, out: &mut String) {
        let text = if self.told.baseline.is_empty() {
            "too little data: the store has no such hours before the window; --vs previous compares with the window just before it"
        } else {
            "too little data: fewer than 20 in the window or in its baseline"
        };
        self.line(out, 0, text);
    }

    fn funnel(&self, out: &mut String) {
        let steps = &self.told.answer.steps;
        let name = self.told.answer.metric.name;
        let _ = writeln!(out, "\n{:<28}{:>12}{:>12}   {name}", "", "now", "usual");
        for step in steps {
            let (label, now, usual) = self.step(step);
            let text = format!("{label:<28}{now:>12}{usual:>12}   {}", self.change(step.effect));
            self.line(out, 0, &text);
        }
    }

    /// What a step is called, with its numbers.
    fn step(&self, step: &Step) -> (&'static str, String, String) {
        let share = |(entered, counted): (f64, f64)| {
            if entered > 0.0 { percent(100.0 * counted / entered) } else { "-".to_owned() }
        };
        let shares = |label| (label, share(step.now), share(step.usual));
        let counts = |label| (label, count(step.now.1), count(step.usual.1));
        match step.part {
            Part::Stage(Stage::Injection) => counts("injected"),
            Part::Stage(Stage::Attempts) => counts("attempts"),
            Part::Stage(Stage::Deliveries) => counts("delivered since a day before"),
            Part::Stage(Stage::Queue) => shares("queued, not yet attempted"),
            Part::Stage(Stage::Carried) => counts("attempted of earlier mail"),
            Part::Stage(Stage::Deferral) => shares("deferred of attempted"),
            Part::Stage(Stage::Bounce) => shares("bounced of sent"),
            Part::Stage(Stage::Deferrals) => shares("deferral rate"),
            Part::Stage(Stage::Complaints) => shares("complaint rate"),
            Part::Stage(Stage::Latency) => shares("later than usual"),
            Part::Stage(Stage::Encryption) => shares("not encrypted well"),
            Part::Stage(Stage::Waiting) => counts("waiting"),
            Part::WaitedBefore => counts("waited before the window"),
            Part::CameIn => counts("came into the queue"),
            Part::WentOut => counts("left the queue"),
            Part::Remote => counts("asynchronous bounces"),
            Part::Mix => ("traffic mix", String::new(), String::new()),
        }
    }

    fn cause(&self, number: usize, cause: &Cause, evidence: &Evidence, out: &mut String) {
        let against = if cause.share < 0.0 { ", offsets the change" } else { "" };
        let share = match cause.share {
            share if share.abs() >= 1000.0 => String::new(),
            // What else moved went the other way.
            share if share.round() > 100.0 => ", more than the whole change".to_owned(),
            share => format!(", {:.0} % of the change{against}", share.abs()),
        };
        let head =
            format!("{number}. {}: {}{share}", cause.stage.name(), self.change(cause.effect))
                + &self.since(evidence);
        let _ = writeln!(out);
        self.line(out, 0, &head);
        self.line(out, 3, &named(cause));
        self.line(out, 3, &self.rates(cause));
        self.moved(cause, out);
        self.scopes(cause, out);
        let reading = cause.reading.text();
        match self.told.by {
            Some(by) => {
                self.line(out, 3, &reading.replace("this job", &format!("this {}", by.name)))
            }
            None => self.line(out, 3, reading),
        }
        for reply in &evidence.replies {
            let text = format!(
                "{} (usually {}) {}",
                count(reply.now),
                count(reply.usual),
                visible(&reply.template)
            );
            self.line(out, 3, &text);
        }
        // What a reply means to one receiver is no matter where it is all of them.
        let mut replies = evidence.replies.iter().filter(|_| cause.reading != Reading::OurSide);
        if let Some(meaning) = replies.find_map(|reply| meaning(&reply.template)) {
            wrapped(&meaning, self.width.saturating_sub(3))
                .iter()
                .for_each(|text| self.line(out, 3, text));
        }
        // Not cut: it is there to be copied.
        if let Some(command) = command(self.told, cause) {
            let _ = writeln!(out, "   {command}");
        }
    }

    /// How those came to wait.
    fn moved(&self, cause: &Cause, out: &mut String) {
        if let Some(moved) = cause.moved {
            let both =
                |(now, usual): (f64, f64)| format!("{} (usually {})", count(now), count(usual));
            let text = format!("{} came in, {} left", both(moved.came), both(moved.went));
            self.line(out, 3, &text);
        }
    }

    /// Each of several that changed in a volume.
    fn scopes(&self, cause: &Cause, out: &mut String) {
        for scope in cause.scopes.iter().take(MAX_SCOPES) {
            let text = format!(
                "{}: {}, usually {}: {}",
                list(&scope.values),
                count(scope.now),
                count(scope.usual),
                self.change(scope.effect)
            );
            self.line(out, 3, &text);
        }
        if cause.scopes.len() > MAX_SCOPES {
            self.line(out, 3, &format!("and {} more", cause.scopes.len() - MAX_SCOPES));
        }
    }

    /// What entered and what came out, now and usually.
    pub(crate) fn rates(&self, cause: &Cause) -> String {
        let what = match cause.stage {
            Stage::Injection => "injected",
            Stage::Queue => "not yet attempted",
            Stage::Carried => "attempted of earlier mail",
            Stage::Deferral => "waiting deferred",
            Stage::Bounce => "bounced",
            Stage::Attempts => "attempts",
            Stage::Deferrals => "deferred",
            Stage::Deliveries => "delivered",
            Stage::Complaints => "complained",
            Stage::Latency => "later than usual",
            Stage::Encryption if self.told.mark == Some(Marked::WeakTls) => {
                "over an old protocol or none"
            }
            Stage::Encryption => "not encrypted",
            Stage::Waiting => "waiting",
        };
        let words: Vec<String> = cause
            .categories
            .iter()
            .map(|name| visible(name.as_deref().unwrap_or("no category")))
            .collect();
        let words =
            if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) };
        // Of what is usual a part of one is more than nothing.
        let counted = |n: f64| if n > 0.0 && n < 0.5 { "<1".to_owned() } else { count(n) };
        let part = |(entered, n): (f64, f64)| {
            if entered > 0.0 {
                format!("{} of {} ({})", counted(n), count(entered), percent(100.0 * n / entered))
            } else {
                counted(n)
            }
        };
        format!("{} {what}, usually {}{words}", part(cause.now), part(cause.usual))
    }

    pub(crate) fn since(&self, evidence: &Evidence) -> String {
        let shown = |time: Timestamp| {
            let local = self.zone.local(time);
            let same_day = local.date() == self.zone.local(self.told.window.since).date();
            let offset = self.zone.told_apart(time).unwrap_or_default();
            format!("{}{offset}", local.format(if same_day { "%H:%M" } else { "%Y-%m-%d %H:%M" }))
        };
        match evidence.onset {
            Some(Onset::At(time)) => format!(", since {}", shown(time)),
            Some(Onset::Before(time)) => format!(", since before {}", shown(time)),
            None => String::new(),
        }
    }

    fn mix(&self, out: &mut String) {
        for (number, mover) in self.told.answer.mix.iter().enumerate() {
            if number == 0 {
                let _ = writeln!(out, "\nmix: traffic mix shifted; the rates themselves did not");
            }
            let name = format!(
                "{} {}",
                mover.dimension,
                visible(mover.value.as_deref().unwrap_or("(none)"))
            );
            let text = format!(
                "{name}: {} of all, usually {}, at a usual rate of {}: {}",
                percent(mover.now),
                percent(mover.usual),
                percent(mover.rate),
                self.change(mover.effect)
            );
            self.line(out, 3, &text);
        }
    }

    fn rest(&self, out: &mut String) {
        let answer = &self.told.answer;
        let change = answer.now - answer.usual;
        let _ = writeln!(out);
        match answer.verdict {
            Verdict::Quiet => {
                self.line(
                    out,
                    0,
                    "nothing unusual: no stage and no combination of values stands out",
                );
            }
            Verdict::Unexplained => {
                self.line(out, 0, "unusual, but no single cause: spread across all traffic");
            }
            Verdict::Explained => {
                let share = if change == 0.0 { 0.0 } else { 100.0 * answer.unexplained / change };
                let share = match share {
                    share if share <= -0.5 => ", against the change".to_owned(),
                    share if share < 1000.0 => format!(" ({:.0} % of the change)", share.abs()),
                    _ => String::new(),
                };
                self.line(
                    out,
                    0,
                    &format!("unexplained {}{share}", self.change(answer.unexplained)),
                );
            }
            Verdict::TooLittle => {}
        }
        let more = answer.causes.len().saturating_sub(MAX_CAUSES);
        if more > 0 {
            self.line(out, 0, &format!("and {more} smaller causes; --format json has them all"));
        }
    }
}

/// Values that name the cause, and in parentheses those that follow.
pub(crate) fn named(cause: &Cause) -> String {
    if !cause.scopes.is_empty() {
        let what = if cause.stage == Stage::Injection { "other jobs" } else { "other mail" };
        return format!("{what} than usual, most of all {}", list(&cause.values));
    }
    let names = if cause.values.is_empty() { "everywhere".to_owned() } else { list(&cause.values) };
    if cause.implied.is_empty() { names } else { format!("{names} ({})", list(&cause.implied)) }
}

fn list(values: &[(String, Option<String>)]) -> String {
    let one = |(dim, value): &(String, Option<String>)| match value {
        Some(value) => format!("{dim} {}", visible(value)),
        None if dim == "dlv_source_ip" => format!("no {dim}: no connection was made"),
        None => format!("no {dim}"),
    };
    values.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The command that shows the records of a cause. None where a value cannot be typed.
pub(crate) fn command(told: &Explanation, cause: &Cause) -> Option<String> {
    // Complaints and the queue have commands that show more of them than their records do.
    let shows = match cause.stage {
        Stage::Complaints => Some(CommandLine::new("complaints").option("--by", "job_id")),
        Stage::Waiting => Some(CommandLine::new("queue")),
        _ => None,
    };
    if let Some(line) = shows {
        return filtered(told, cause, line);
    }
    let marked = told.mark.map_or_else(|| "true".to_owned(), Marked::sql);
    let marked = format!("rec = 'd' and {marked}");
    let rec = match cause.stage {
        Stage::Injection | Stage::Queue if told.had.iter().any(|rec| rec == "r") => "rec = 'r'",
        Stage::Injection | Stage::Queue | Stage::Carried | Stage::Attempts => {
            "rec in ('d', 'b', 't')"
        }
        Stage::Deferral | Stage::Deferrals => "rec = 't'",
        Stage::Bounce => "rec = 'b'",
        Stage::Deliveries => "rec = 'd'",
        Stage::Latency | Stage::Encryption => marked.as_str(),
        Stage::Complaints | Stage::Waiting => return None,
    };
    // A comment at its end would take what is put behind it.
    if told.condition.as_ref().is_some_and(|condition| condition.contains("--")) {
        return None;
    }
    let mut conditions = vec![rec.to_owned()];
    conditions.extend(told.condition.iter().map(|condition| format!("({condition})")));
    let mut args: Vec<(&'static Filter, String)> = Vec::new();
    let mut others = told.others.clone();
    let any: Vec<String> =
        cause.categories.iter().map(|name| equals("bounce_cat", name.as_deref())).collect();
    match any.as_slice() {
        [] => {}
        [one] => conditions.push(one.clone()),
        more => conditions.push(format!("({})", more.join(" or "))),
    }
    // Of several, the records of all.
    let values = if cause.scopes.is_empty() { cause.values.as_slice() } else { &[] };
    for (dim, value) in values {
        match value.as_deref() {
            Some(jobs) if pmtaq_why::is_group_of_jobs(jobs) => {}
            value => match (filter_of(dim), value) {
                (Some(filter), Some(value))
                    if !value.contains(['*', ',']) && !value.starts_with('-') =>
                {
                    args.push((filter, value.to_owned()));
                }
                // No column has it, so only a filter can say it.
                (None, value) if told.by.is_some_and(|by| by.name == dim) => {
                    let value = value.filter(|value| !value.contains('*'))?;
                    others.push((dim.clone(), value.to_owned()));
                }
                _ => conditions.push(equals(dim, value)),
            },
        }
    }
    // The cause lies within the filters: where it names a value itself, theirs says nothing more.
    let mut filters = told.filters.clone();
    filters.retain(|(filter, _)| args.iter().all(|(named, _)| named.name != filter.name));
    filters.extend(args);
    let line = CommandLine::new("export").window(told.window).filters(&filters);
    let line = line.others(&others);
    line.option("--where", conditions.join(" and ")).option("--format", "csv").text()
}

/// `line` for what a cause names, as far as filters can say it.
fn filtered(told: &Explanation, cause: &Cause, line: CommandLine) -> Option<String> {
    let mut filters = told.filters.clone();
    for (dim, value) in &cause.values {
        // An `f` record knows no more than these of its message.
        let is_known = cause.stage != Stage::Complaints
            || matches!(dim.as_str(), "provider" | "sender_domain");
        let is_one =
            |value: &&String| !value.contains(['*', ',']) && !pmtaq_why::is_group_of_jobs(value);
        let value = value.as_ref().filter(is_one);
        if let (true, Some(filter), Some(value)) = (is_known, filter_of(dim), value) {
            filters.retain(|(named, _)| named.name != filter.name);
            filters.push((filter, value.clone()));
        }
    }
    let line = line.window(told.window).filters(&filters);
    told.condition.iter().fold(line, |line, sql| line.option("--where", sql)).text()
}

fn filter_of(dimension: &str) -> Option<&'static Filter> {
    FILTERS.iter().find(|filter| filter.dimension == dimension)
}
