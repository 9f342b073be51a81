//! What a user's SQL cannot do, and what nothing here does.

use std::time::Duration;

use pmtaq_query::{Catalog, Error, Scope, Selection};
use pmtaq_schema::Window;

use crate::fixture::{Stored, lines, only, sql};

#[test]
fn statements_that_read_are_answered() {
    let stored = Stored::day();
    let session = stored.session();
    for (text, rows) in [
        ("select 1", 1),
        ("select 1;", 1),
        (" with x as (from records) select count(*) from x", 1),
        ("from bounces", 4),
        ("select provider, bounce_rate() from records group by provider order by all", 4),
        ("describe records", pmtaq_schema::COLUMNS.len() + 1),
        ("values (1), (2)", 2),
        ("PIVOT records on rec using count(*) group by vmta order by all", 3),
        (" -- by type\n pivot (from bounces) on provider using count(*);", 4),
        ("select * from (pivot records on rec in ('d', 'b') using count(*) group by vmta)", 3),
        ("select '; drop table x'", 1),
        ("select 1 -- and ; more", 1),
    ] {
        assert_eq!(sql(&session, text).map(|lines| lines.len()).ok(), Some(rows), "{text}");
    }
    assert!(!sql(&session, "explain select 1").expect("a plan").is_empty());
}

#[test]
fn everything_that_writes_or_reaches_out_is_refused() {
    let stored = Stored::day();
    let session = stored.session();
    let part = sql(&session, "select filename from read_parquet(getvariable('none'))");
    assert!(part.is_err());
    for text in [
        "create table x as select 1",
        "create or replace view records as select 1",
        "drop view records",
        "insert into records select * from records",
        "delete from records",
        "update records set rec = 'd'",
        "copy (select 1) to '/tmp/pmtaq-wall.csv'",
        "copy records to '/tmp/pmtaq-wall.parquet' (use_tmp_file false)",
        "attach '/tmp/pmtaq-wall.db'",
        "install icu",
        "load icu",
        "load '/tmp/x.duckdb_extension'",
        "set threads = 1",
        "reset threads",
        "set enable_external_access = true",
        "pragma enable_profiling",
        "call enable_logging()",
        "export database '/tmp/pmtaq-wall'",
        "select * from '/etc/passwd'",
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from read_blob('/etc/*')",
        "select * from glob('/etc/*')",
        "select * from read_parquet('https://example.org/x.parquet')",
        "pivot records on rec using count(*); drop view records",
        "pivot records on rec using count(*); select 1",
        "create table pivot as pivot records on rec using count(*)",
        "with x as (from records) pivot x on rec using count(*)",
        "select 1; select 2",
        "select 1; drop view records",
        "explain analyze create table x as select 1",
        "explain copy (select 1) to '/tmp/pmtaq-wall.csv'",
        "begin",
        "prepare p as select 1",
        "select getenv('HOME')",
        "",
        ";",
        "select 'x\0'",
    ] {
        assert!(sql(&session, text).is_err(), "{text}");
    }
    assert_eq!(sql(&session, "select count(*) from records").expect("still there"), ["15"]);
    for left in
        ["/tmp/pmtaq-wall.csv", "/tmp/pmtaq-wall.parquet", "/tmp/pmtaq-wall.db", "/tmp/pmtaq-wall"]
    {
        assert!(!std::path::Path::new(left).exists(), "{left}");
    }
}

#[test]
fn what_is_checked_is_what_runs() {
    // In an E'' text a backslash takes the quote; a metric inside must not open it.
    let stored = Stored::day();
    let answer = sql(&stored.session(), r"select E'\' sent()'");
    assert!(answer.as_ref().map_or(true, |rows| rows == &["' sent()"]), "{answer:?}");
}

#[test]
fn other_parts_of_the_disk_are_closed_to_the_condition_too() {
    let stored = Stored::day();
    let session = stored.session();
    let selection = only(&[], Some("rec in (select content from read_text('/etc/passwd'))"));
    let query = session.export(&["rec".to_owned()], &selection).expect("a query");
    let error = lines(&session, &query).expect_err("closed").to_string();
    assert!(error.contains("Permission Error"), "{error}");
}

#[test]
fn no_time_has_a_zone_at_scale() {
    let stored = Stored::day();
    let session = stored.session();
    let zoned = |query: &pmtaq_query::Query| {
        session.run(query, |shape, _| format!("{:?}", shape.schema).contains("Some(\"UTC\")"))
    };
    for report in Catalog::builtin().expect("reports").iter() {
        let query = report.query(&[], &Selection::default(), Scope::ALL).expect("a query");
        assert!(!zoned(&query).expect(&report.name), "{}", report.name);
    }
    let columns = sql(
        &session,
        "select table_name, column_name from duckdb_columns() where data_type ilike '%zone%' and not internal",
    );
    assert_eq!(columns.expect("columns"), Vec::<String>::new());
}

#[test]
fn no_extension_is_fetched_and_nothing_is_written() {
    let stored = Stored::day();
    let settings = sql(
        &stored.session(),
        "select current_setting('autoload_known_extensions'), current_setting('autoinstall_known_extensions'),
                current_setting('enable_external_access'), current_setting('lock_configuration'),
                current_setting('temp_directory')",
    );
    assert_eq!(settings.expect("settings"), ["false | false | false | true | "]);
}

#[test]
fn a_running_query_can_be_interrupted() {
    let stored = Stored::day();
    let session = stored.session();
    let interrupt = session.interrupt();
    let stopper = std::thread::spawn(move || {
        // Once may come before the query has begun.
        for _ in 0..50 {
            std::thread::sleep(Duration::from_millis(20));
            interrupt.interrupt();
        }
    });
    let answer =
        sql(&session, "select sum(a.range * b.range) from range(1000000) a, range(1000000) b");
    assert!(matches!(answer, Err(Error::Interrupted)), "{answer:?}");
    stopper.join().expect("no panic");
}

#[test]
fn an_error_in_mid_stream_comes_in_place_of_a_batch() {
    let stored = Stored::day();
    let answer = sql(
        &stored.session(),
        "select case when range = 900000 then error('late') else range end from range(1000000)",
    );
    assert!(matches!(&answer, Err(Error::Sql(text)) if text.contains("late")), "{answer:?}");
}

#[test]
fn the_script_runs_as_it_is() {
    // Where the session's own wall is not: the script must need nothing but the engine.
    let stored = Stored::day();
    let session = stored.open(Window::ALL, "Europe/Madrid");
    let selection = only(
        &[("job", &["it's", "j1"]), ("domain", &["*.com"])],
        Some("template not like '%$6%' or template is null"),
    );
    for report in Catalog::builtin().expect("reports").iter() {
        let query = report.query(&[], &selection, Scope::ALL).expect("a query");
        let script = session.script(&query);
        let shell = duckdb::Connection::open_in_memory().expect("an engine");
        let mut statement = shell.prepare(&script).expect(&report.name);
        let rows =
            statement.query_arrow([]).expect(&report.name).map(|b| b.num_rows()).sum::<usize>();
        assert_eq!(rows, lines(&session, &query).expect(&report.name).len(), "{}", report.name);
        assert!(script.contains("'%$6%'"));
    }
}
