//! SQL of the user: everything that reads, nothing that writes, and no text that becomes SQL.

use crate::sealed::Sealed;

#[test]
fn what_does_not_read_is_refused_at_scale() {
    let sealed = Sealed::of_samples();
    for statement in [
        "create table t as select 1",
        "drop view records",
        "copy (select 1) to '/tmp/pmtaq-must-not-exist.csv'",
        "copy records to 'x.parquet'",
        "attach '/tmp/pmtaq-must-not-exist.db'",
        "install httpfs",
        "load httpfs",
        "set threads = 7",
        "pragma enable_external_access",
        "select 1; select 2",
        "select 1; drop view records",
        "update records set rec = 'x'",
        "call pragma_version()",
        "",
        ";",
        "nonsense",
    ] {
        let run = sealed.run(&["sql", statement]);
        assert_eq!(run.code, Some(2), "{statement}: {run:?}");
        assert!(run.stdout.is_empty(), "{statement}: {run:?}");
        assert!(!run.stderr.contains("serialized"), "{statement}: {run:?}");
    }
    let slip = sealed.run(&["sql", "selec 1"]);
    assert!(
        slip.stderr.contains("this is not valid SQL: syntax error at or near \"selec\""),
        "{slip:?}"
    );
    assert!(!slip.stderr.contains("export"), "{slip:?}");
    let file = sealed.file("q.sql", "select 1");
    let run = sealed.run(&["sql", file.to_str().unwrap()]);
    assert!(run.stderr.contains("hint: `pmtaq sql --file $DIR/q.sql` runs what"), "{run:?}");
    assert!(!std::path::Path::new("/tmp/pmtaq-must-not-exist.csv").exists());
    assert!(!std::path::Path::new("/tmp/pmtaq-must-not-exist.db").exists());
}

#[test]
fn files_outside_the_store_cannot_be_read() {
    let sealed = Sealed::of_samples();
    for statement in [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "from '/etc/passwd'",
        "select * from glob('/etc/*')",
        "select * from read_parquet('/tmp/*.parquet')",
    ] {
        let run = sealed.run(&["sql", statement]);
        assert_eq!(run.code, Some(1), "{statement}: {run:?}");
        assert!(!run.stdout.contains("root"), "{statement}: {run:?}");
    }
}

#[test]
fn no_filter_becomes_sql_at_scale() {
    let sealed = Sealed::of_samples();
    let hostile =
        ["'; drop view records; --", "x' or '1'='1", "$f0", "*' or true --", "\\'", "a\"b", "/*"];
    for flag in [
        "--domain",
        "--provider",
        "--vmta",
        "--pool",
        "--ip",
        "--sender",
        "--job",
        "--host",
        "--category",
        "--code",
    ] {
        // All values of a flag at once: a single one that were SQL would fail, or let rows through.
        let all: Vec<&str> = hostile.iter().flat_map(|text| [flag, text]).collect();
        let one = [flag, hostile[flag.len() % hostile.len()]];
        for values in [&all[..], &one] {
            let run = sealed.run(&[&["top-bounces", "--format", "json"], values].concat());
            assert_eq!((run.code, run.stdout.as_str()), (Some(0), "[]\n"), "{values:?}: {run:?}");
        }
        let run =
            sealed.run(&[&["pivot", "--rows", "provider", "--format", "csv"], &all[..]].concat());
        assert_eq!(run.code, Some(0), "{flag}: {run:?}");
    }
    for text in hostile {
        for args in [
            ["pivot", "--rows", text],
            ["export", "--format=csv", &format!("--columns={text}")],
            ["top-bounces", "--by", text],
            ["latency", "--by", text],
            ["latency", "--at", text],
            ["latency", "--around", text],
            ["compare", "--a", text],
            ["compare", "--metric", text],
        ] {
            assert_eq!(sealed.run(&args).code, Some(2), "{args:?}");
        }
        let job = sealed.run(&["job", text, "--format", "json"]);
        assert_eq!((job.code, job.stdout.as_str()), (Some(0), "[]\n"), "{text}: {job:?}");
    }
}

#[test]
fn a_condition_is_an_expression_and_nothing_more() {
    let sealed = Sealed::of_samples();
    for condition in [
        "true; drop view records",
        "1) union select (2",
        "rec = 'd') or (true",
        "rec = 'd' group by rec",
        "",
    ] {
        let run = sealed.run(&["export", "--format", "csv", "--where", condition]);
        assert_ne!(run.code, Some(0), "{condition}: {run:?}");
    }
    let rows = sealed.done(&[
        "export",
        "--format",
        "csv",
        "--columns",
        "rec",
        "--where",
        "rec = 'f' -- or true",
    ]);
    assert!(rows.lines().skip(1).all(|rec| rec == "f") && rows.lines().count() > 1);
}

#[test]
fn nothing_needs_an_extension_for_time_zones() {
    let sealed = Sealed::of_samples();
    let types = sealed.done(&[
        "sql",
        "select distinct column_type from (describe records)",
        "--format",
        "csv",
    ]);
    assert!(types.contains("TIMESTAMP") && !types.contains("WITH TIME ZONE"), "{types}");
    let loaded = sealed.done(&[
        "sql",
        "select value from duckdb_settings() where name in ('autoload_known_extensions', 'autoinstall_known_extensions')",
        "--format", "csv",
    ]);
    assert_eq!(loaded, "value\nfalse\nfalse\n");
}

#[test]
fn the_shown_sql_names_the_parts_and_binds_nothing() {
    let sealed = Sealed::of_samples();
    let sql = sealed.done(&["top-bounces", "--show-sql", "--domain", "it's.example"]);
    assert!(sql.contains("read_parquet([") && sql.contains("'it''s.example'"), "{sql}");
    // The harness writes `$DIR` for the place of the store.
    assert!(!sql.replace("$DIR", "").contains('$'), "{sql}");
}

#[test]
fn a_window_reads_the_parts_of_its_days_only() {
    let sealed = Sealed::of_samples();
    let paths = sealed.done(&["paths", "--since", "2026-03-02", "--until", "2026-03-03"]);
    assert!(
        !paths.is_empty() && paths.lines().all(|path| path.contains("date=2026-03-02")),
        "{paths}"
    );
    assert_eq!(
        sealed.run(&["paths", "--since", "2026-03-05", "--until", "2026-03-04"]).code,
        Some(2)
    );
}

#[test]
fn an_old_name_of_a_column_is_told_its_new_one() {
    let sealed = Sealed::of_samples();
    for (args, new) in [
        (&["export", "--format", "csv", "--columns", "took"][..], "delivery_time"),
        (&["deferrals", "--by", "all_deferred"], "total"),
        (&["throttles", "--where", "cost > 60"], "total_delay"),
        (&["sql", "select wasted from records"], "same_reply"),
    ] {
        let run = sealed.run(args);
        assert!(run.stderr.contains(&format!("reports call it `{new}` now")), "{args:?}: {run:?}");
    }
}

#[test]
fn the_day_of_the_folder_is_a_column_as_in_other_readers() {
    let sealed = Sealed::of_samples();
    let condition = "date = '2026-03-02'";
    let count = |from: &str| sealed.number(&format!("select count(*) from {from}"));
    let of_day = count(&format!("records where {condition}"));
    assert_eq!(
        of_day,
        count("records where time_logged >= '2026-03-02' and time_logged < '2026-03-03'")
    );
    assert!(of_day > 1000 && count(&format!("bounces where {condition}")) > 10);
    assert_eq!(count(&format!("returns where {condition}")), 5);
    assert!(count(&format!("hourly where {condition}")) > 10);
    let exported = sealed.done(&[
        "export",
        "--where",
        condition,
        "--columns",
        "date,rec",
        "--format",
        "csv",
        "-q",
    ]);
    assert_eq!(exported.lines().count() as i64, of_day + 1);
    assert_eq!(exported.lines().nth(1).map(|line| &line[..11]), Some("2026-03-02,"));
    let whole = sealed.done(&["export", "--format", "csv", "-q", "--where", condition]);
    assert!(!whole.lines().next().unwrap().contains("date"), "only what the parts have");
    let found =
        sealed.done(&["search", "--rec", "rb", "--fields", "date", "--format", "csv", "-q"]);
    assert!(found.lines().any(|line| line == "2026-03-02"), "{found}");
}

#[test]
fn the_files_of_each_table_are_listed_with_the_window_that_was_asked_for() {
    let sealed = Sealed::of_samples();
    let asked = ["paths", "--since", "2026-03-02", "--until", "2026-03-03", "--table", "hourly"];
    let list = sealed.done(&asked);
    assert!(list.lines().all(|path| path.starts_with("$DIR/store/hourly/date=2026-03-02/")));
    let json = sealed.done(&[&asked[..], &["--format", "json"]].concat());
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(rows[0]["path"], list.trim_end());
    assert_eq!(rows[0]["date"], "2026-03-02");
    assert_eq!(
        rows[0]["rows"],
        sealed.number("select count(*) from hourly where date = '2026-03-02'")
    );
    assert_eq!(rows[0]["since"], "2026-03-02T00:00:00Z");
    assert_eq!(rows[0]["until"], "2026-03-03T00:00:00Z");
    let all = sealed.done(&["paths", "--format", "csv"]);
    assert!(all.lines().nth(1).unwrap().ends_with(",,"), "an open window has no ends: {all}");
    assert_eq!(sealed.done(&["paths", "--table", "rejects"]), "", "none was refused");
    assert_eq!(sealed.run(&["paths", "--table", "nonsense"]).code, Some(2));
}
