//! What was measured, in words.

use pmtaq_alert::{Rule, Seen, Watch, group_name};
use pmtaq_query::{Metric, watched};
use pmtaq_render::words::{count, duration, percent, visible};
use pmtaq_schema::human::exact_duration;

use crate::commands::measure;

/// A sentence about a group.
pub(super) fn words(rule: &Rule, seen: &Seen) -> String {
    let name = group_name(&seen.labels);
    let who = if name.is_empty() { String::new() } else { format!("{}: ", visible(&name)) };
    let (value, process) = (seen.value, rule.process.as_deref().unwrap_or_default());
    let span = exact_duration(seen.window_s);
    match rule.watch {
        Watch::Metric => match rule.metric.as_deref().and_then(|name| watched(name).ok()) {
            Some(metric) => who + &of_metric(rule, metric, seen),
            None => who,
        },
        Watch::NewReply => {
            let rest = group_name(seen.labels.get(1..).unwrap_or_default());
            let at = if rest.is_empty() { String::new() } else { format!(" ({})", visible(&rest)) };
            let reply = seen.labels.first().map(|(_, reply)| visible(reply)).unwrap_or_default();
            format!("new reply, {} times{at}: {reply}", count(value))
        }
        Watch::Silence => match seen.usual {
            Some(usual) => format!("{who}no attempt in {span}, usually {}", count(usual)),
            None => format!("{who}no attempt in {span}"),
        },
        Watch::Lag => {
            let more = if seen.is_at_least { "more than " } else { "" };
            format!("{who}the newest record is {more}{} old", duration(value))
        }
        Watch::RefusedLines => {
            let span = exact_duration(rule.longest_window_s());
            format!("{} refused in {span}", counted(value, "line"))
        }
        Watch::FailedIngests if value == 1.0 => "the last ingest failed".to_owned(),
        Watch::FailedIngests => format!("the last {} ingests failed", count(value)),
        Watch::Lock => format!("a writer has held the lock of the store for {}", duration(value)),
        Watch::Process if seen.is_absent => format!("no process called {process} runs"),
        Watch::Process => {
            let least = rule.below.unwrap_or_default();
            format!("fewer than {} called {process}: {}", counted(least, "process"), count(value))
        }
        Watch::Memory | Watch::VirtualMemory if seen.is_absent => {
            format!("no process called {process} runs")
        }
        Watch::Memory => format!("{process} has {} of the memory", percent(value)),
        Watch::VirtualMemory => {
            format!("the address space of {process} is {} of memory and swap", percent(value))
        }
        Watch::Swap => format!("{} of the swap is in use", percent(value)),
        Watch::Disk => {
            let path = rule.path.as_deref().unwrap_or_default();
            format!("the disk of {path} is {} full", percent(value))
        }
    }
}

fn of_metric(rule: &Rule, metric: &Metric, seen: &Seen) -> String {
    let of = seen.n.zip(measure::base(metric)).map(|(n, base)| format!(" of {} {base}", count(n)));
    let span = (rule.windows.len() > 1).then(|| format!(" in {}", exact_duration(seen.window_s)));
    let whose = seen.usual_of.iter().map(|name| format!(" of {}", visible(name)));
    let whose: String = whose.collect();
    let usual =
        seen.usual.map(|usual| format!(", usually {}{whose}", measure::value_text(metric, usual)));
    let peers = seen.peers.map(|peers| format!(", others {}", measure::value_text(metric, peers)));
    let rest = [of, span, usual, peers].into_iter().flatten().collect::<String>();
    format!("{} {}{rest}", metric.name, measure::value_text(metric, seen.value))
}

fn counted(n: f64, what: &str) -> String {
    let ending = match (n == 1.0, what.ends_with('s')) {
        (true, _) => "",
        (false, true) => "es",
        (false, false) => "s",
    };
    format!("{} {what}{ending}", count(n))
}
