//! `check` as a monitoring system reads it, and the metrics for Prometheus as its parser does.

use std::process::Command;

use serde_json::Value;

use crate::sealed::{Run, Sealed, golden, interpreter, root};

const NOON: &[&str] = &["--now", "2026-03-03T12:00:00Z"];

/// Runs the program at noon of the last day of the samples.
fn at_noon(sealed: &Sealed, args: &[&str]) -> Run {
    let output = sealed.command().args(NOON).args(args).output().unwrap();
    Run {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

#[test]
fn checks_give_their_golden_files_at_scale() {
    let sealed = Sealed::of_samples();
    for (name, args) in [
        ("by-provider", "bounce_rate --by provider -w 5 -c 10 --last 1d --min-n 50 --top 3"),
        ("too-few", "bounce_rate --by provider -w 5 -c 10 --last 10m"),
        ("too-few-is-fine", "bounce_rate --by provider -w 5 -c 10 --last 10m --few ok"),
        ("count", "delivered -w 100: -c 50: --top 0"),
        ("duration", "p95 --by ip --last 1d -w 600 -c 3600 --top 2"),
        ("lag", "lag --by host -w 30 -c 7200"),
    ] {
        let args: Vec<&str> = std::iter::once("check").chain(args.split(' ')).collect();
        let run = at_noon(&sealed, &args);
        golden(
            &format!("check/{name}.txt"),
            &format!("$ pmtaq {}\n{}", args.join(" "), run.transcript()),
        );
    }
}

#[test]
fn what_is_not_known_is_never_fine_at_scale() {
    let sealed = Sealed::of_samples();
    let unknown = |now: &str, args: &[&str], words: &str| {
        let all = [&["--now", now, "check"], args].concat();
        let output = sealed.command().args(&all).output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(3), "{args:?}: {stdout}");
        assert!(stdout.lines().next().unwrap().contains(" UNKNOWN: "), "{args:?}: {stdout}");
        assert!(stdout.contains(words), "{args:?}: {stdout}");
    };
    let later = "2026-03-05T12:00:00Z";
    unknown(later, &["bounce_rate", "-w", "50"], "no records from");
    unknown(later, &["delivered", "-w", "1:", "--by", "host"], "no records from");
    unknown(later, &["bounce_rate", "-w", "50", "--last", "7d"], "nothing is judged");
    unknown(later, &["delivered", "-w", "1:", "--last", "7d"], "nothing is judged");
    unknown(later, &["lag", "-w", "60", "--last", "1h"], "no records from");
    let noon = "2026-03-03T12:00:00Z";
    unknown(noon, &["bounce_rat", "-w", "5"], "did you mean `bounce_rate`?");
    unknown(noon, &["bounce_rate", "-w", "20:10"], "20 is above 10");
    unknown(noon, &["bounce_rate"], "required");
    unknown(noon, &["bounce_rate", "-w", "5", "--store", "/nowhere"], "there is no store");
    unknown(noon, &["sent", "-w", "5", "--min-n", "9"], "stands for itself");
    unknown(noon, &["sent", "-w", "5", "--max-lag", "soon"], "is not a valid duration");
    unknown(noon, &["sent", "-w", "5", "--where", "rcpt ="], "error");
    let config = sealed.file("etc/pmtaq.toml", "stoer = 'x'\n");
    unknown(noon, &["sent", "-w", "5"], "did you mean `store`?");
    std::fs::write(config, "").unwrap();
    // A word of another command is none of ours.
    assert_eq!(sealed.run(&["search", "check", "--bogus"]).code, Some(2));
}

#[test]
fn a_group_without_a_record_is_a_count_of_nothing_and_not_unknown() {
    let run =
        at_noon(&Sealed::of_samples(), &["check", "delivered", "-c", "1:", "--provider", "nobody"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stdout.starts_with("DELIVERED CRITICAL: 0 (limit 1:)"), "{run:?}");
}

#[test]
fn a_window_without_any_record_is_a_count_of_nothing() {
    let sealed = Sealed::of_samples();
    let check = |now: &str, range: &str| {
        let args =
            ["--now", now, "check", "delivered", "--last", "15m", "-w", "1000:", "-c", range];
        let output = sealed.command().args(args).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    // The last record is of a quarter to midnight.
    for now in ["2026-03-04T00:30:00Z", "2026-03-04T08:00:00Z"] {
        let (code, said) = check(now, "100:");
        assert_eq!(code, Some(2), "{said}");
        assert!(said.starts_with("DELIVERED CRITICAL: 0 (limit 100:); no records from "), "{said}");
        assert!(said.contains("the newest record is ") && said.contains("'delivered'=0"), "{said}");
    }
    // What is not too little is fine only where nothing can be late.
    let fine = |now: &str| {
        let args = ["--now", now, "check", "bounced", "--last", "15m", "-c", "100"];
        sealed.command().args(args).output().unwrap().status.code()
    };
    assert_eq!(fine("2026-03-04T00:30:00Z"), Some(0));
    assert_eq!(fine("2026-03-04T08:00:00Z"), Some(3));
    assert_eq!(check("2026-03-20T20:00:00Z", "100:").0, Some(3), "nothing in a week");
}

fn parsed(sealed: &Sealed, text: &str) -> Value {
    let file = sealed.file("metrics.prom", text);
    let python = interpreter();
    let script = root().join("tests/python/exposition.py");
    let output = Command::new(python).arg(script).arg(file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn prometheus_reads_what_a_pivot_counts_at_scale() {
    let sealed = Sealed::of_samples();
    let args =
        ["metrics", "--textfile", "-", "--window", "3d", "--by", "provider,job", "--top", "2"];
    let run = at_noon(&sealed, &args);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let families = parsed(&sealed, &run.stdout);
    let sample = |family: &str, by: &str, group: &str| {
        let samples = families[family]["samples"].as_array().unwrap();
        let is_it = |sample: &&Value| sample[1]["by"] == by && sample[1]["group"] == group;
        samples.iter().find(is_it).map(|sample| sample[2].as_f64().unwrap())
    };
    let window = ["--until", "2026-03-03T11:59:05Z", "--since", "2026-02-28T11:59:05Z"];
    let pivot = ["pivot", "--rows", "provider", "--metric", "sent,bounce_rate", "--top", "2"];
    let rows = sealed.done(&[&pivot[..], &window, &["--format", "json"]].concat());
    let rows: Vec<Value> = serde_json::from_str(&rows).unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let (by, group) = match row["provider"].as_str().unwrap() {
            "total" => ("all", "all"),
            name => ("provider", name),
        };
        assert_eq!(sample("pmtaq_window_sent", by, group), row["sent"].as_f64(), "{group}");
        let (ratio, rate) = (sample("pmtaq_window_bounce_ratio", by, group), &row["bounce_rate"]);
        let difference = ratio.unwrap() * 100.0 - rate.as_f64().unwrap();
        assert!(difference.abs() < 1e-9, "{group}");
    }
    for (name, family) in families.as_object().unwrap() {
        assert_eq!(family["type"] == "counter", name == "pmtaq_store_commits", "{name}");
        assert!(family["help"].as_str().unwrap().ends_with('.'), "{name}");
        // Two groups and the rest of each dimension, and all of them; times five quantiles.
        assert!(family["samples"].as_array().unwrap().len() <= 7 * 5, "{name}");
    }
}

#[test]
fn hostile_names_stay_labels() {
    let csv = "type,timeLogged,rcpt,jobId\n\
        d,2026-03-01 10:00:00+0000,a@x.example,\"a\"\"} 1\"\n\
        d,2026-03-01 10:00:01+0000,a@x.example,\"back\\slash\nand line\"\n";
    let sealed = Sealed::new();
    sealed.ingest(&[&sealed.file("acct.csv", csv)]);
    let args = ["metrics", "--now", "2026-03-01T10:01:00Z", "--textfile", "-", "--by", "job"];
    let output = sealed.command().args(args).output().unwrap();
    let families = parsed(&sealed, &String::from_utf8_lossy(&output.stdout));
    let samples = families["pmtaq_window_delivered"]["samples"].as_array().unwrap();
    let groups: Vec<&str> =
        samples.iter().map(|sample| sample[1]["group"].as_str().unwrap()).collect();
    assert_eq!(groups, ["all", "a\"} 1", "back\\\\slash\\nand line"]);
}

#[test]
fn names_that_differ_in_what_cannot_be_seen_are_series_that_differ() {
    let csv = "type,timeLogged,rcpt,jobId\n\
        d,2026-03-01 10:00:00+0000,a@x.example,\"\t=1+1\"\n\
        d,2026-03-01 10:00:01+0000,a@x.example,\"\u{1}=1+1\"\n\
        d,2026-03-01 10:00:02+0000,a@x.example,\\t=1+1\n";
    let sealed = Sealed::new();
    sealed.ingest(&[&sealed.file("acct.csv", csv)]);
    let args =
        ["metrics", "--now", "2026-03-01T10:01:00Z", "--textfile", "-", "--by", "job,job_id"];
    let output = sealed.command().args(args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let series: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit_once(' ').unwrap().0)
        .collect();
    let distinct: std::collections::BTreeSet<&&str> = series.iter().collect();
    assert_eq!(distinct.len(), series.len(), "{text}");
    let families = parsed(&sealed, &text);
    assert_eq!(families["pmtaq_window_delivered"]["samples"].as_array().unwrap().len(), 4);
}

#[test]
fn the_textfile_is_readable_and_goes_nowhere_else() {
    use std::os::unix::fs::PermissionsExt;
    let sealed = Sealed::of_samples();
    let victim = sealed.file("victim", "mine\n");
    let path = sealed.file("collector/pmtaq.prom", "");
    // As the owner of the folder may do it who can guess the name: `exec` keeps the number.
    let line = format!(
        "umask 077; ln -s {} {}/.pmtaq.prom.$$.new; exec {} {} metrics --textfile {}",
        victim.display(),
        path.parent().unwrap().display(),
        sealed.command().get_program().to_str().unwrap(),
        NOON.join(" "),
        path.display()
    );
    let mut shell = Command::new("sh");
    let output = shell.args(["-c", &line]).env("PMTAQ_STORE", sealed.store()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine\n");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("# HELP "));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn the_textfile_is_replaced_as_a_whole_or_not_at_all_at_scale() {
    let sealed = Sealed::of_samples();
    let path = sealed.file("collector/pmtaq.prom", "as it was\n");
    let name = path.to_str().unwrap();
    let run = at_noon(&sealed, &["metrics", "--textfile", name, "--store", "/nowhere"]);
    assert_ne!(run.code, Some(0));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "as it was\n");
    let run = at_noon(&sealed, &["metrics", "--textfile", name]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(0), "", ""));
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("# HELP "));
    let beside = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(beside, 1, "nothing is left beside it");
    // Nothing in the last days: no window, but the file is there and says how old all is.
    let output = sealed
        .command()
        .args(["--now", "2026-04-05T12:00:00Z", "metrics", "--textfile", "-"])
        .output()
        .unwrap();
    let families = parsed(&sealed, &String::from_utf8_lossy(&output.stdout));
    assert!(families.get("pmtaq_window_sent").is_none());
    assert_eq!(families["pmtaq_written_timestamp_seconds"]["samples"][0][2], 1_775_390_400.0);
    let missing = sealed.dir.path().join("no/such/folder/x.prom");
    assert_eq!(
        at_noon(&sealed, &["metrics", "--textfile", missing.to_str().unwrap()]).code,
        Some(1)
    );
}

/// The names of our metrics in an expression.
fn names(expression: &str) -> Vec<String> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("pmtaq_")).map(str::to_owned).collect()
}

#[test]
fn the_dashboard_and_the_rules_ask_for_metrics_that_there_are() {
    let sealed = Sealed::of_samples();
    let run = at_noon(&sealed, &["metrics", "--textfile", "-", "--window", "3d"]);
    let families = parsed(&sealed, &run.stdout);
    let text = std::fs::read_to_string(root().join("packaging/grafana/pmtaq.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut expressions: Vec<String> =
        targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect();
    let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
    expressions.extend(variables.map(|of| of["query"].as_str().unwrap_or_default().to_owned()));
    let rules = std::fs::read_to_string(root().join("packaging/prometheus/pmtaq.rules.yml"));
    let rules = rules.unwrap();
    let rules: Vec<&str> = rules.lines().filter(|line| line.contains("expr:")).collect();
    assert!(rules.len() >= 4 && expressions.len() > 10);
    expressions.extend(rules.iter().map(|line| (*line).to_owned()));
    let found: Vec<String> = expressions.iter().flat_map(|text| names(text)).collect();
    assert!(found.len() > 20);
    for name in found {
        let samples = families.get(&name).map(|family| family["samples"].as_array().unwrap());
        assert!(samples.is_some_and(|samples| !samples.is_empty()), "{name}");
    }
}
