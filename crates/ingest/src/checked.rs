//! Lines that were read and found plausible: the type, the time and the numbers of each. What is
//! wrong with a line is said here, and nowhere behind.

use pmtaq_schema::columns::index_of;
use pmtaq_schema::time::Times;
use pmtaq_schema::{COLUMNS, Kind, Record, Timestamp};
use pmtaq_store::NO_NUMBER;

use crate::plan::Plan;
use crate::reject::Refusal;
use crate::split::{Line, Lines};

const TIME_LOGGED: usize = index_of("time_logged");
const RCPT: usize = index_of("rcpt");

/// Columns that hold numbers or times.
const NUMBERS: usize = {
    let (mut count, mut i) = (0, 0);
    while i < COLUMNS.len() {
        count += matches!(COLUMNS[i].kind, Kind::Int | Kind::Time) as usize;
        i += 1;
    }
    count
};

/// Reads the times of lines, each field by itself, in the order of [`Plan::numbers`].
pub(crate) type TimesOfLines = [Times; NUMBERS];

/// The numbers of a line, read and found plausible.
pub(crate) struct Checked {
    /// Which line it is.
    pub(crate) line: usize,
    pub(crate) record: Record,
    pub(crate) time_logged: Timestamp,
    /// In the order of [`Plan::numbers`].
    pub(crate) numbers: [i64; NUMBERS],
}

impl Checked {
    /// Reads everything that can be wrong of the line numbered `number`. `times` have read the times
    /// of lines before it.
    pub(crate) fn of(
        number: usize,
        lines: Lines<'_, '_>,
        plan: &Plan,
        times: &mut TimesOfLines,
    ) -> Result<Checked, Refusal> {
        let line = lines.get(number);
        if line.broken {
            return Err(Refusal::line("a quote is not closed before a comma or line end"));
        }
        if line.len() > plan.fields.len() {
            return Err(Refusal::line("more fields than the header has"));
        }
        let kind = line.field(plan.kind);
        let Some(record) = kind.read(Record::parse).or_else(|| behind_hole(&kind.value())) else {
            return Err(Refusal::field("type", &kind.value(), unknown_type(&kind.value())));
        };
        let mut numbers = [NO_NUMBER; NUMBERS];
        let mut time_logged = None;
        let numbers_by_field = numbers.iter_mut().zip(times).zip(&plan.numbers);
        for ((number, times), &(column, field)) in numbers_by_field {
            let value = line.field(field);
            if value.is_empty() {
                continue;
            }
            let refused = |why| Refusal::field(&plan.fields[field], &value.value(), why);
            *number = if COLUMNS[column].kind == Kind::Time {
                let time = value
                    .read(|field| times.parse(field))
                    .ok_or_else(|| refused("not a time between 1990 and 2100"))?;
                if column == TIME_LOGGED {
                    time_logged = Some(time);
                }
                time.millis()
            } else {
                value.read(whole_number).ok_or_else(|| refused("not a whole number"))?
            };
        }
        let Some(time_logged) = time_logged else {
            return Err(no_time(plan));
        };
        if line.len() < plan.fields.len() {
            ends_after_recipient(&line, record, plan)?;
        }
        Ok(Checked { line: number, record, time_logged, numbers })
    }
}

/// The record type behind NULs, which stay in a file where a machine stopped or a file was truncated.
#[cold]
fn behind_hole(kind: &[u8]) -> Option<Record> {
    let nulls = kind.iter().take_while(|byte| **byte == 0).count();
    (nulls > 0).then(|| Record::parse(&kind[nulls..])).flatten()
}

/// Why a record type is none, with the one that is meant perhaps.
#[cold]
fn unknown_type(kind: &[u8]) -> &'static str {
    let lower = String::from_utf8_lossy(kind).trim().to_ascii_lowercase();
    match lower.as_str() {
        _ if lower.starts_with('{') => "no JSON object with a type",
        "c" | "complaint" | "fbl" | "arf" => "unknown record type; PowerMTA calls complaints `f`",
        "defer" | "df" | "deferred" | "deferral" | "delayed" | "soft" | "s" => {
            "unknown record type; PowerMTA calls deferrals `t`"
        }
        "fail" | "failed" | "failure" | "hard" | "h" => {
            "unknown record type; PowerMTA calls bounces `b`"
        }
        "sent" | "success" | "relayed" => "unknown record type; PowerMTA calls deliveries `d`",
        "injected" | "reception" | "in" | "i" => {
            "unknown record type; PowerMTA calls receptions `r`"
        }
        _ => "unknown record type; PowerMTA's are d, b, t, tq, r, rb, rs and f",
    }
}

#[cold]
fn no_time(plan: &Plan) -> Refusal {
    let name = plan.sources[TIME_LOGGED].map_or("timeLogged", |field| &plan.fields[field]);
    Refusal::field(name, b"", "no time")
}

/// PMTA leaves out empty fields at the end of a line. The recipient of these is never empty: a line
/// that ends before it was cut.
#[cold]
fn ends_after_recipient(line: &Line<'_, '_>, record: Record, plan: &Plan) -> Result<(), Refusal> {
    use Record::{Bounce, Deferral, Delivery, Reception};
    let has_recipient = matches!(record, Delivery | Bounce | Deferral | Reception);
    match plan.sources[RCPT] {
        Some(rcpt) if has_recipient && line.len() <= rcpt => {
            Err(Refusal::line("the line ends before the recipient that the header has"))
        }
        _ => Ok(()),
    }
}

fn whole_number(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?.trim();
    // Tools for tables of numbers write `41159.0` where other rows of the column are empty.
    let number = text.strip_suffix(".0").unwrap_or(text).parse().ok()?;
    // The least of all stands for none.
    (number != NO_NUMBER).then_some(number)
}
