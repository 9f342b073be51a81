//! The help in its other forms: pages of docs/, manual pages, lines for other tools.

use std::process::Command;

use pmtaq_query::metrics;
use pmtaq_schema::bounce::CATEGORIES;
use pmtaq_schema::origin::BounceOrigin;

use crate::sealed::{Sealed, golden, interpreter};

/// A page of docs/, made from what the program itself says.
fn page(name: &str, text: &str) {
    golden(&format!("../docs/{name}"), text);
}

const MADE: &str = "Made by the tests from the program itself; `UPDATE=1 cargo test` rewrites it.";

#[test]
fn docs_columns_is_what_the_program_says() {
    let table = Sealed::new().done(&["columns", "--format", "markdown"]);
    page("columns.md", &format!("# The columns of `records`\n\n{MADE}\n\n{table}"));
}

#[test]
fn docs_metrics_is_what_the_program_says() {
    let sealed = Sealed::new();
    let help = |list| {
        let output =
            sealed.command().args(["help", list, "--format", "markdown"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let (list, dimensions) = (help("metrics"), help("dimensions"));
    assert_eq!(list, sealed.done(&["metrics", "--format", "markdown"]), "help is the list");
    let definitions: String = metrics()
        .iter()
        .map(|metric| {
            let of = metric.of.as_ref().map(|of| format!(" -- percent of {of}"));
            let of = of.unwrap_or_default();
            format!("{}(){of}\n    {}\n", metric.name, metric.sql)
        })
        .collect();
    let origins: String = BounceOrigin::ALL
        .iter()
        .map(|origin| format!("| {} | {} |\n", origin.as_str(), origin.doc()))
        .collect();
    let classes: String = CATEGORIES
        .iter()
        .map(|(category, class, meaning)| {
            format!("| {category} | {} | {meaning} |\n", class.as_str())
        })
        .collect();
    page(
        "metrics.md",
        &format!(
            "# Metrics, dimensions, bounce classes\n\n{MADE}\n\n{list}\n\
             In SQL a metric is its name with empty parentheses, an aggregate over `records`:\n\n\
             ```sql\n{definitions}```\n\n## Dimensions\n\n{dimensions}\n\
             ## What is not logged is not zero\n\n\
             A number is null, and the reason is said, where the records that it counts cannot tell it. What\n\
             record types have is looked at by MTA and UTC day, of all records of the window.\n\n\
             | of the records that a metric counts | it is null |\n|---|---|\n\
             | a type lacks a field that the metric is made of (tls_rate: dlvTlsProtocol, bytes: dlvSize, hard: bounceCat) | everywhere |\n\
             | a type lacks the field of a dimension or a filter | in every group that has a value; of those without one, a share is null |\n\
             | a dimension tells outcomes apart (rec, categories, codes, replies), and the metric is a share of several types | everywhere |\n\
             | an MTA has none of a type that a share stands on in the whole store | everywhere |\n\
             | more of them are counted above the line than below | there |\n\n\
             Of fields that each record has (rcpt, vmta, queue, timeQueued) one in twenty may be without it. Others (a job, a\n\
             pool, an address) are judged by the other types of that MTA and day: chance must leave the field out of so\n\
             many records in less than one of a thousand. Remote bounces and deferrals of a whole queue correct a number\n\
             and do not make it: where they lack a dimension they are left out of its groups. `pmtaq doctor` lists\n\
             what is not known, the worst first, with the lines of PMTA's configuration that log it.\n\n\
             A share stands on what it counts, on what is in its denominator alone, and on deliveries: a bounce rate on b\n\
             and d, a deferral rate on t and d, complaints on f and d. None of a type is taken for not logged where chance\n\
             would leave it out of so many attempts in less than one of a thousand, with any MTA at work: no d among 10, no t\n\
             among 1,400, no b among 14,000; of complaints, which one MTA may take for all, none in the store among 70,000.\n\
             The window need not have one: the lists of the whole store are looked at, the latest first. Counts ask for\n\
             nothing. `records = \"d,b,t\"` in the configuration says which types are logged, so that none of them is zero.\n\n\
             ## Bounce classes\n\n\
             Any other category is undetermined. A site says otherwise in `[bounce-classes]` of its\n\
             configuration, see [configuration.md](configuration.md).\n\n\
             | category | class | meaning |\n|---|---|---|\n{classes}\n\
             A recipient that an operator deleted is of the class administrative, whatever its category.\n\n\
             ## Who ended it\n\n\
             `bounce_origin` says who ended the message of a bounce, by the diagnostic; of a deferral (t, tq) who\n\
             put it off. It is null where none is logged. The last reply of an expired message, and the reply\n\
             that a rule quotes (`x-pmta;bounce-queue;reply:550 ...`), give the code, the template and the\n\
             meaning. Of a queue that was bounced as a whole they do not say that a mailbox is dead, since the reply\n\
             was to one of its messages: `mailbox_dead` is null, and `unknown_users`, `hygiene` and `suppress` count none\n\
             of it. In parts that an older version wrote the origin is told by code and template alone, so that\n\
             a quoted reply is the receiver's there.\n\n\
             | origin | is |\n|---|---|\n{origins}"
        ),
    );
}

#[test]
fn docs_cli_is_what_the_program_says() {
    page("cli.md", &Sealed::new().done(&["man", "--markdown"]));
}

#[test]
fn manual_pages_can_be_read() {
    let sealed = Sealed::new();
    let dir = sealed.dir.path().join("man1");
    sealed.done(&["man", dir.to_str().unwrap()]);
    let pages: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|page| page.unwrap().path()).collect();
    assert!(pages.len() > 60, "{} pages", pages.len());
    for page in pages {
        let name = page.file_stem().unwrap().to_str().unwrap();
        let source = std::fs::read_to_string(&page).unwrap();
        let title = format!(
            "\n.TH {} 1  \"pmtaq {}\" pmtaq\n",
            name.to_uppercase(),
            env!("CARGO_PKG_VERSION")
        );
        assert!(source.contains(&title), "{name}: {source}");
        assert!(!name.contains("help") && !source.contains("\\-help\\fR(1)"), "{name}");
        let synopsis = source.split(".SH SYNOPSIS\n").nth(1).unwrap().lines().next().unwrap();
        assert!(synopsis.starts_with("pmtaq") && synopsis.len() < 100, "{name}: {synopsis}");
    }
    for (page, text) in [("pmtaq.1", "Exit codes"), ("pmtaq-top-bounces.1", "masked")] {
        let source = std::fs::read_to_string(dir.join(page)).unwrap();
        assert!(source.contains(".TH"), "{page}");
        let Ok(output) =
            Command::new("groff").args(["-man", "-Tascii", "-ww"]).arg(dir.join(page)).output()
        else {
            continue;
        };
        let (shown, said) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // Lines are justified: two words may have several spaces between them.
        let words: Vec<&str> = shown.split_whitespace().collect();
        let found = words.join(" ").contains(text);
        assert!(output.status.success() && found, "{page}: {shown}{said}");
    }
}

/// A store in a folder whose name means something to SQL, Python and globs.
fn awkward() -> (Sealed, String) {
    let sealed = Sealed::new();
    let store = sealed.dir.path().join("it's [a] \"store\"");
    let store = store.to_str().unwrap().to_owned();
    sealed.done(&["ingest", "-q", "--store", &store, "samples/acct"]);
    (sealed, store)
}

#[test]
fn the_lines_for_other_tools_run_as_they_are_at_scale() {
    let (sealed, store) = awkward();
    let python = interpreter();
    let delivered = sealed.done(&[
        "sql",
        "--store",
        &store,
        "select count(*) from deliveries",
        "--format",
        "tsv",
    ]);
    let delivered = delivered.lines().nth(1).unwrap();
    for tool in ["python", "polars", "pyarrow", "duckdb"] {
        let mut lines = sealed.done(&["connect", tool, "--store", &store]);
        // The path comes back as it was, and not as the tests show it.
        lines = lines.replace("$DIR", sealed.dir.path().canonicalize().unwrap().to_str().unwrap());
        if tool == "duckdb" {
            let path = sealed.file("lines.sql", &lines);
            let path = path.to_str().unwrap();
            lines = format!("import duckdb\nprint(duckdb.sql(open('{path}').read()).fetchall())\n");
        }
        let script = sealed.file(&format!("lines-of-{tool}.py"), &lines);
        let output = Command::new(&python).arg(&script).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{tool}: {lines}{said}");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(shown.contains(delivered), "{tool}: {shown}");
    }
    for tool in ["clickhouse", "spark", "pandas", "r"] {
        let lines = sealed.done(&["connect", tool, "--store", &store]);
        assert!(lines.contains("store"), "{tool}: {lines}");
    }
    assert_eq!(sealed.run(&["connect", "duckdb"]).code, Some(2), "there is no store there");
}
