//! SQL of the user: everything that reads, nothing that writes, and no text that becomes SQL.

use crate::sealed::Sealed;

#[test]
fn what_does_not_read_is_refused() {
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
fn no_filter_becomes_sql() {
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
