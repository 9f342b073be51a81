//! `pmtaq doctor`: is all there that the reports ask for, and is anything lost, late or refused?
//! Here the findings are gathered and told; each file below makes those of one kind.

mod acct;
mod files;
mod finding;
mod hosts;
mod lacks;
mod others;
mod wants;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pmtaq_query::{Overlap, Presence};
use pmtaq_render::{Format, words};
use pmtaq_schema::Timestamp;
use pmtaq_schema::human::duration;
use pmtaq_schema::size::parse_duration_s;
use pmtaq_schema::time::DAY_S;
use pmtaq_schema::untrusted::visible;
use pmtaq_store::{Source, Store};

use crate::args;
use crate::asked::{self, Asked};
use crate::commands::lists::list;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::show::print;
use crate::ui;
use finding::{Finding, Severity, counted, few, thousands, time_text};
use others::Others;

pub(crate) fn run(
    context: &Context,
    args: &args::Doctor,
    catalog: &pmtaq_query::Catalog,
) -> Result<Exit> {
    let max_lag_s = parse_duration_s(&args.max_lag).ok_or_else(|| {
        Failure::usage(format!(
            "--max-lag `{}` is not a valid duration, such as 1d or 2h",
            args.max_lag
        ))
    })?;
    if let (Some(config), Err(pmtaq_store::Error::Missing { .. })) = (&args.config, context.store())
    {
        ui::note(&context.global, "there is no store yet: only the configuration is looked at");
        return told(context, &acct::findings(config, catalog)?);
    }
    let asked = asked::open(context, &args.times)?;
    let _guard = ui::interrupt(asked.session.interrupt());
    let presence = asked.session.presence()?;
    let store = context.store()?;
    let sources = files::within(context, &store, asked.window)?;
    let others = Others::of(&asked, &presence)?;
    let mut findings = lacks::findings(&asked.session, &others)?;
    findings.extend(records(context, &presence));
    findings.extend(wants::findings(&presence, catalog, &others));
    findings.extend(others.renamed(&presence));
    if let Some(config) = &args.config {
        findings.extend(acct::findings(config, catalog)?);
    }
    findings.extend(files::gaps(&sources));
    findings.extend(files::passed_over(&store, &sources)?);
    findings.extend(files::clock(context, &sources, &presence));
    findings.extend(hosts::clocks(context, &store, &sources)?);
    if asked.window.until >= context.now {
        findings.extend(hosts::silent(context, &store, asked.window)?);
    }
    if asked.window.until > context.now {
        findings.extend(lag(context, &presence, &sources, max_lag_s));
    }
    findings.extend(balance(context, &asked, &presence)?);
    findings.extend(overlaps(&asked, &presence)?);
    findings.extend(refused(&asked)?);
    findings.extend(writing(context, &store)?);
    told(context, &findings)
}

fn told(context: &Context, findings: &[Finding]) -> Result<Exit> {
    print_findings(context, findings)?;
    let is_trouble = findings.iter().any(|finding| finding.level == Severity::Trouble);
    Ok(if is_trouble { Exit::Failed } else { Exit::Done })
}

/// What each MTA logs.
fn records(context: &Context, presence: &Presence) -> Vec<Finding> {
    if presence.logged.is_empty() {
        let nothing = Finding::new("records", Severity::Trouble, "no record in this window");
        return vec![nothing.fix("pmtaq ingest FILES")];
    }
    let of_host = |host: &&str| {
        let types: Vec<String> = presence
            .of(host)
            .map(|logged| format!("{} {}", thousands(logged.rows), logged.record))
            .collect();
        let first = presence.of(host).map(|logged| logged.times.0).min().unwrap_or_default();
        let last = presence.of(host).map(|logged| logged.times.1).max().unwrap_or_default();
        let (first, last) = (time_text(context, first), time_text(context, last));
        let what = format!("{host}: {}; {first} to {last}", types.join(", "));
        Finding::new("records", Severity::Ok, what)
    };
    presence.hosts().iter().map(of_host).collect()
}

/// How old the newest record of each MTA is.
fn lag(context: &Context, presence: &Presence, sources: &[Source], max_lag_s: i64) -> Vec<Finding> {
    let ingested = sources.iter().map(|source| source.ingested_at).max();
    let ingested = ingested.map_or_else(String::new, |at| {
        format!("; the last ingest that found any was at {}", time_text(context, Timestamp(at)))
    });
    let of_host = |host: &&str| {
        let newest = presence.of(host).map(|logged| logged.times.1).max().unwrap_or_default();
        let age_s = context.now.0.saturating_sub(newest.0).max(0);
        let what = format!(
            "{host}: the newest record is of {}, {} ago{ingested}",
            time_text(context, newest),
            duration(age_s as f64)
        );
        if age_s <= max_lag_s {
            return Finding::new("lag", Severity::Ok, what);
        }
        Finding::new("lag", Severity::Trouble, what).fix("pmtaq ingest FILES, from cron or a timer")
    };
    presence.hosts().iter().map(of_host).collect()
}

/// A message is given up after some days (`bounce-after`, 4d12h unless set), so all that came in
/// before so long must have gone out.
const QUEUED_AT_MOST_S: i64 = 5 * DAY_S;

/// Received = delivered + bounced + queued.
fn balance(context: &Context, asked: &Asked, presence: &Presence) -> Result<Vec<Finding>> {
    let before = Timestamp(presence.newest().0 - QUEUED_AT_MOST_S);
    // A few may differ where files begin and end.
    let is_many = |n: u64, of: u64| n > 10 + of / 1000;
    let findings = asked.session.balance(presence, before)?.into_iter().map(|balance| {
        let (host, received, finished) = (&balance.host, balance.received, balance.finished);
        let (over, queued) = (finished.saturating_sub(received), received.saturating_sub(finished));
        let old = balance.received_before.saturating_sub(balance.finished_before);
        if is_many(over, received) {
            let what = format!(
                "{host}: {} recipients were finished and only {} received: r records are missing",
                thousands(finished),
                thousands(received)
            );
            return Finding::new("balance", Severity::Trouble, what);
        }
        if is_many(old, balance.received_before) {
            let what = format!(
                "{host}: {} of {} recipients received before {} were never delivered nor bounced: \
                 d or b records are missing",
                thousands(old),
                thousands(balance.received_before),
                time_text(context, before)
            );
            return Finding::new("balance", Severity::Trouble, what);
        }
        let what = format!(
            "{host}: {} received = {} delivered or bounced + {} queued",
            thousands(received),
            thousands(received - queued),
            thousands(queued)
        );
        Finding::new("balance", Severity::Ok, what)
    });
    let findings: Vec<Finding> = findings.collect();
    if findings.is_empty() && !presence.logged.is_empty() {
        let what = "no r records: what came in cannot be weighed against what went out";
        return Ok(vec![Finding::new("balance", Severity::Lacks, what)]);
    }
    Ok(findings)
}

/// Files that hold the same records, which count twice then.
fn overlaps(asked: &Asked, presence: &Presence) -> Result<Vec<Finding>> {
    // Of all files of two blocks once, whatever dates and numbers are in their names.
    let glob = |name: &str| {
        let mut glob = String::new();
        for c in name.chars() {
            match c {
                '0'..='9' if glob.ends_with('*') => {}
                '0'..='9' => glob.push('*'),
                '-' | '_' if glob.ends_with('*') => {}
                c => glob.push(c),
            }
        }
        glob
    };
    let mut told: BTreeMap<(String, String), u64> = BTreeMap::new();
    for Overlap { sources: (one, other), records } in asked.session.overlaps(presence)? {
        *told.entry((glob(&one), glob(&other))).or_default() += records;
    }
    let finding = |((one, other), records): ((String, String), u64)| {
        let (are, count, them) =
            if records == 1 { ("is", "counts", "it") } else { ("are", "count", "them") };
        let what = format!(
            "{} of the last hour {are} in both {one} and {other}, and {count} twice: two <acct-file> \
             blocks log {them}",
            counted(records, "record")
        );
        // The longer name: `acct-*.csv` would take `acct-tg-*.csv` with it.
        let name = if one.len() > other.len() { &one } else { &other };
        let fix = format!("pmtaq ingest --exclude '{name}', and the store made anew without them");
        Finding::new("overlap", Severity::Trouble, what).fix(fix)
    };
    Ok(told.into_iter().map(finding).collect())
}

/// A run that writes for so long has most likely come to a stop.
const WRITES_AT_MOST_S: i64 = 3600;

/// Who keeps others from writing.
fn writing(context: &Context, store: &Store) -> Result<Option<Finding>> {
    let Some(writer) = store.writer()? else { return Ok(None) };
    let since = writer.rsplit_once(" since ").and_then(|(_, at)| Timestamp::parse(at.as_bytes()));
    let since_s = since.map_or(0, |since| context.now.0.saturating_sub(since.0));
    if since_s <= WRITES_AT_MOST_S {
        return Ok(None);
    }
    let what = format!("the store is locked by {writer}, for {}", duration(since_s as f64));
    let finding = Finding::new("lock", Severity::Trouble, what);
    Ok(Some(finding.fix("see what the process does, and end it")))
}

/// Lines that ingest refused.
fn refused(asked: &Asked) -> Result<Vec<Finding>> {
    let rejects = asked.session.rejects()?;
    let all: u64 = rejects.iter().map(|(_, n)| n).sum();
    if all == 0 {
        return Ok(vec![Finding::new("refused", Severity::Ok, "no line was refused")]);
    }
    let reasons: Vec<String> =
        rejects.iter().map(|(why, n)| format!("{why} ({})", thousands(*n))).collect();
    let what = format!("{} refused: {}", counted(all, "line"), few(&reasons));
    Ok(vec![Finding::new("refused", Severity::Trouble, what).fix("pmtaq rejects")])
}

// ---- telling ---------------------------------------------------------------------------------

fn print_findings(context: &Context, findings: &[Finding]) -> Result<()> {
    if context.global.format == Format::Table {
        return print(context, &text(context, findings)).map(drop);
    }
    let rows = findings.iter().map(|finding| {
        let (check, level) = (finding.check.to_owned(), finding.level.as_str().to_owned());
        [check, level, finding.what.clone(), finding.fix.join("\n")]
    });
    list(context, ["check", "level", "finding", "fix"], rows.collect()).map(drop)
}

/// The findings as lines that fit a terminal, and the blocks for PMTA's configuration.
fn text(context: &Context, findings: &[Finding]) -> String {
    let width = ui::width(&context.global).map_or(100, usize::from).clamp(60, 120);
    let mut text = String::new();
    let mut last = "";
    for finding in findings {
        let check = if finding.check == last { "" } else { finding.check };
        last = finding.check;
        let head = format!("{check:8}  {:7}  ", finding.level.as_str());
        let _ = writeln!(text, "{}", hanging(&head, &visible(&finding.what), width));
        for line in &finding.fix {
            let _ = writeln!(text, "{:21}{}", "", visible(line));
        }
    }
    text
}

/// `head` and `body`, broken between words, each line below the first one indented.
fn hanging(head: &str, body: &str, width: usize) -> String {
    let indent = format!("\n{:1$}", "", head.len());
    head.to_owned() + &words::wrapped(body, width.saturating_sub(head.len())).join(&indent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_below_its_head() {
        assert_eq!(hanging("ok  ", "one two three", 12), "ok  one two\n    three");
    }
}
