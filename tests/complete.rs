//! What Tab offers: in the words of the scripts, and in real shells.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::sealed::{Sealed, interpreter, root};

/// Jobs whose names mean something to a shell, or to a terminal.
const HOSTILE: &str = "type,timeLogged,orig,rcpt,dsnStatus,vmta,jobId\n\
d,2026-03-03 10:00:00+0000,a@news.example.com,b@gmail.com,2.0.0,v1,\"x$(touch pwned)'\"\"; y`touch pwned`\"\n\
d,2026-03-03 10:00:00+0000,a@news.example.com,b@gmail.com,2.0.0,v1,x2\u{1b}[31mred\n\
d,2026-03-03 10:00:00+0000,a@news.example.com,b@gmail.com,2.0.0,v1,w:1 und w\n";

fn hostile() -> Sealed {
    let sealed = Sealed::of_samples();
    let file = sealed.file("hostile.csv", HOSTILE);
    sealed.done(&["ingest", "-q", file.to_str().unwrap()]);
    sealed
}

/// What the script of bash is told for a line, the last word of which is all replaced.
fn offered(sealed: &Sealed, line: &str) -> Vec<String> {
    let last = line.rsplit(' ').next().unwrap();
    let mut command = sealed.command();
    let output = command.env("PMTAQ_COMPLETE", "bash").args(["--", line, last]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{line}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn names_of_closed_lists_are_offered_also_behind_a_comma() {
    let sealed = Sealed::new();
    for (line, expected) in [
        ("pmtaq top-b", &["top-bounces"][..]),
        ("pmtaq stats vmta-s", &["vmta-summary"]),
        ("pmtaq pivot --metr", &["--metric"]),
        ("pmtaq pivot --rows provider,vm", &["provider,vmta", "provider,vmta_pool"]),
        ("pmtaq pivot --rows=reply_f", &["--rows=reply_fault", "--rows=reply_family"]),
        ("pmtaq pivot --metric sent,complaint_", &["sent,complaint_rate"]),
        ("pmtaq latency --by vm", &["vmta", "vmta_pool"]),
        ("pmtaq check la", &["lag"]),
        ("pmtaq graph sent,queue_d", &["sent,queue_depth"]),
        ("pmtaq export --columns rcpt,dat", &["rcpt,date"]),
        ("pmtaq search --fields weekd", &["weekday"]),
        ("pmtaq search --rec b,r", &["b,r", "b,rb", "b,rs"]),
        ("pmtaq providers --format json", &["json", "jsonl"]),
        ("pmtaq --tz Europe/Madr", &["Europe/Madrid"]),
        ("pmtaq volume --since yes", &["yesterday"]),
        ("pmtaq jobs --from ", &["auto", "records"]),
        ("pmtaq completions z", &["zsh"]),
        ("pmtaq paths --table h", &["hourly"]),
    ] {
        assert_eq!(offered(&sealed, line), expected, "{line}");
    }
}

#[test]
fn names_of_the_store_are_offered_where_they_are_meant() {
    let sealed = hostile();
    for (line, expected) in [
        ("pmtaq volume --provider gma", &["gmail"][..]),
        ("pmtaq volume --vmta vmta-news-1,vmta-news-2", &["vmta-news-1,vmta-news-2"]),
        ("pmtaq volume --pool pool-t", &["pool-transactional"]),
        ("pmtaq volume --host test", &["testmta"]),
        ("pmtaq volume --code 5.7.2", &["5.7.26"]),
        ("pmtaq job w", &["w:1\\ und\\ w"]),
        ("pmtaq volume --job x", &["x\\$\\(touch\\ pwned\\)\\'\\\"\\;\\ y\\`touch\\ pwned\\`"]),
    ] {
        assert_eq!(offered(&sealed, line), expected, "{line}");
    }
    let jobs = offered(&sealed, "pmtaq job ");
    assert!(jobs.len() > 20 && jobs.contains(&"forum-20260301-0000".to_owned()), "{jobs:?}");
    // The store is the one that the line names.
    let elsewhere = format!("pmtaq --store {} job forum", sealed.dir.path().join("no").display());
    assert_eq!(offered(&sealed, &elsewhere), [""; 0]);
    let here = format!("pmtaq --store {} job w", sealed.store().display());
    let mut command = sealed.command();
    command.env("PMTAQ_STORE", "/no/such").env("PMTAQ_COMPLETE", "bash");
    let output = command.args(["--", &here, "w"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "w:1\\ und\\ w\n");
}

#[test]
fn a_name_is_not_completed_by_files_and_a_folder_is() {
    let sealed = Sealed::of_samples();
    let line = format!("pmtaq volume --vmta {}/", root().display());
    assert_eq!(offered(&sealed, &line), [""; 0]);
    let line = format!("pmtaq --store {}/sto", sealed.dir.path().display());
    assert_eq!(offered(&sealed, &line), [format!("{}/", sealed.store().display())]);
    let line = format!("pmtaq ingest {}/LICEN", root().canonicalize().unwrap().display());
    assert_eq!(offered(&sealed, &line).len(), 1);
}

#[test]
fn what_is_wrong_offers_nothing_and_says_nothing() {
    let sealed = Sealed::of_samples();
    sealed.file("store/_pmtaq/root.json", "{");
    sealed.file("store/_pmtaq/root.copy.json", "{");
    assert_eq!(offered(&sealed, "pmtaq volume --provider g"), [""; 0]);
    sealed.file("etc/pmtaq.toml", "no = [toml");
    assert_eq!(offered(&sealed, "pmtaq pivot --rows provi"), ["provider"]);
    for line in ["", "pmtaq", "pmtaq nonsense --x ", "pmtaq volume --provider '", "\\"] {
        offered(&sealed, line);
    }
    for arguments in [&["--"][..], &[], &["--", "a", "b", "c"]] {
        for shell in ["bash", "zsh", "fish", "tcsh", ""] {
            let mut command = sealed.command();
            let output = command.env("PMTAQ_COMPLETE", shell).args(arguments).output().unwrap();
            assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{shell}");
        }
    }
}

#[test]
fn tab_takes_at_most_fifty_milliseconds_of_cpu() {
    let sealed = Sealed::of_samples();
    let mut command = Command::new(interpreter());
    command.arg(root().join("tests/python/cpu.py")).arg(env!("CARGO_BIN_EXE_pmtaq"));
    command.args(["--", "pmtaq volume --provider g", "g"]);
    command.env("PMTAQ_COMPLETE", "bash").env("PMTAQ_STORE", sealed.store());
    let output = command.output().unwrap();
    let spent: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
    assert!(spent <= 50.0, "{spent} ms");
}

#[test]
fn real_shells_complete_and_run_what_they_completed_at_scale() {
    let sealed = hostile();
    let program = Path::new(env!("CARGO_BIN_EXE_pmtaq"));
    let cases = json!([
        ["pmtaq top-b", "pmtaq top-bounces"],
        ["pmtaq pivot --rows provider,sender", "provider,sender_domain"],
        ["pmtaq volume --provider gma", "--provider gmail"],
        ["pmtaq latency --by=weekd", "--by=weekday"],
        ["pmtaq job 'w:1 u", "und w"],
        ["pmtaq job x", "touch", "delivered +1 "],
        ["pmtaq job w", "und", "delivered +1 "],
    ]);
    for shell in ["bash", "zsh", "fish"] {
        let output = Command::new(interpreter())
            .arg(root().join("tests/python/tab.py"))
            .args([shell.as_ref(), program.parent().unwrap(), sealed.dir.path()])
            .arg(cases.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{shell}: {said}");
        assert!(!sealed.dir.path().join("pwned").exists(), "{shell} ran the name of a job");
    }
}
