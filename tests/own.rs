//! Reports that users wrote: commands like the others, that can do no more than the others.

use crate::sealed::{Sealed, golden};

const SLOW: &str = "-- name: slow-domains
-- title: The slowest domains
-- help: Recipient domains by how long their deliveries took.
-- needs: d
-- param: at-least int = 5  Fewest deliveries
-- column: delivered count
-- column: p95 seconds
select rcpt_domain, delivered() as delivered, p95() as p95
from records group by rcpt_domain having delivered() >= $at_least
order by p95 desc, rcpt_domain limit 3
";

/// A report of that name with that statement.
fn report(name: &str, sql: &str) -> String {
    format!("-- name: {name}\n-- title: T\n-- help: H.\n-- needs: d\n{sql}\n")
}

#[test]
fn a_file_of_the_user_is_a_command_with_help_and_options() {
    let sealed = Sealed::of_samples();
    sealed.file("etc/pmtaq/reports/slow-domains.sql", SLOW);
    let run =
        |args: &[&str]| format!("$ pmtaq {}\n{}", args.join(" "), sealed.run(args).transcript());
    golden(
        "own/slow-domains.txt",
        &[
            run(&["slow-domains", "--at-least", "40", "--provider", "gmail,microsoft"]),
            run(&["slow-domains", "--at-leest", "40"]),
            run(&["help", "slow-domains"]),
        ]
        .concat(),
    );
    let list = sealed.done(&["reports", "--format", "csv"]);
    assert!(list.contains("slow-domains,The slowest domains,d,"), "{list}");
    let mut command = sealed.command();
    let offered = command.env("PMTAQ_COMPLETE", "zsh").args(["--", "pmtaq", "slow"]).output();
    assert_eq!(offered.unwrap().stdout, b"slow-domains:The slowest domains\n", "completed too");
}

#[test]
fn a_broken_file_is_a_warning_with_its_line_and_breaks_nothing() {
    let sealed = Sealed::of_samples();
    let file = |name: &str, text: &str| {
        sealed.file(&format!("etc/pmtaq/reports/{name}.sql"), text);
    };
    file("slow-domains", SLOW);
    file("a-slip", "-- name: a-slip\n-- titel: T\nselect 1\n");
    file("bare", "select 1\n");
    file("other", &report("another", "select 1"));
    file("sql", &report("sql", "select 1"));
    file("UPPER", &report("UPPER", "select 1"));
    file("twice", &report("twice", "").replace("needs: d", "needs: d\n-- param: store text  S"));
    file("not-sql", "\u{0}\u{ff}");
    let run = sealed.run(&["slow-domains", "--format", "csv"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 4), "{run:?}");
    golden("own/broken.txt", &run.stderr);
    let quiet = sealed.run(&["slow-domains", "--quiet"]);
    assert_eq!(quiet.stderr, "");
    assert_eq!(sealed.run(&["a-slip"]).code, Some(2));
}

#[test]
fn a_report_of_the_user_cannot_leave_the_store_nor_change_it() {
    let sealed = Sealed::of_samples();
    for (name, sql) in [
        ("reads-file", "select * from read_text('/etc/passwd')"),
        ("copies", "copy (select 1) to '/tmp/pmtaq-must-not-exist.csv'"),
        ("two", "select 1; copy records to '/tmp/pmtaq-must-not-exist.csv'"),
        ("ends-early", "select 1); drop view records; --"),
        ("sets", "set threads = 7"),
        ("attaches", "select 1; attach '/tmp/pmtaq-must-not-exist.db'"),
    ] {
        sealed.file(&format!("etc/pmtaq/reports/{name}.sql"), report(name, sql));
        let run = sealed.run(&[name]);
        assert!(matches!(run.code, Some(1 | 2)), "{name}: {run:?}");
        assert!(run.stdout.is_empty(), "{name}: {run:?}");
        assert!(run.stderr.contains(&format!("reports/{name}.sql")), "{name}: {run:?}");
    }
    assert!(!std::path::Path::new("/tmp/pmtaq-must-not-exist.csv").exists());
    assert!(!std::path::Path::new("/tmp/pmtaq-must-not-exist.db").exists());
}

#[test]
fn a_report_of_pmtaq_is_replaced_only_visibly() {
    let sealed = Sealed::of_samples();
    sealed.file(
        "etc/pmtaq/reports/volume.sql",
        report("volume", "select count(*) as n from records"),
    );
    let run = sealed.run(&["volume", "--format", "csv"]);
    assert_eq!(run.stdout, "n\n6000\n");
    assert!(
        run.stderr.contains("`volume` is your own report, from $DIR/etc/pmtaq/reports/volume.sql")
    );
    let help = sealed.done(&["volume", "-h"]);
    assert!(help.contains("Your own report, instead of the one of pmtaq:"), "{help}");
    let shown = sealed.done(&["config", "show", "--format", "csv"]);
    assert!(shown.contains("report,\"volume, instead of the one of pmtaq\""), "{shown}");
}
