//! Fields that no column takes as dimensions: headers by their names, and what a site makes of a field.

use crate::sealed::Sealed;

const HEADER: &str = "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,bounceCat,dlvDestinationIp,vmta,jobId,header_X-Tenant,header_Message-Id,header_Subject\n";

/// Five records of two tenants, with a subject in encoded words.
fn tenants() -> Sealed {
    let sealed = Sealed::new();
    let rows = [
        (
            "d",
            "bounce-acme-1@s.example",
            "smtp;250 ok",
            "",
            "north",
            "<77.1@x>",
            "=?utf-8?Q?Fr=C3=BChling?=",
        ),
        (
            "d",
            "bounce-acme-2@s.example",
            "smtp;250 ok",
            "",
            "north",
            "<77.2@x>",
            "=?iso-8859-1?Q?Fr=FChling?=",
        ),
        ("d", "bounce-zeta-1@s.example", "smtp;250 ok", "", "south", "<78.1@x>", "Spring"),
        (
            "b",
            "bounce-zeta-2@s.example",
            "smtp;550 5.1.1 no",
            "bad-mailbox",
            "south",
            "<78.2@x>",
            "Spring",
        ),
        ("d", "someone@s.example", "smtp;250 ok", "", "", "", ""),
    ];
    let mut text = HEADER.to_owned();
    for (second, (rec, orig, diag, category, tenant, id, subject)) in rows.iter().enumerate() {
        text += &format!(
            "{rec},2026-03-01 10:00:0{second}+0000,2026-03-01 10:00:00+0000,{orig},u{second}@x.example,2.0.0,{diag},{category},198.51.100.1,v1,J1,{tenant},{id},{subject}\n"
        );
    }
    let path = sealed.file("acct.csv", text);
    sealed.ingest(&[&path]);
    sealed
}

fn csv(sealed: &Sealed, line: &str) -> String {
    sealed.done(&[&line.split(' ').collect::<Vec<_>>()[..], &["--format", "csv", "-q"]].concat())
}

#[test]
fn a_header_is_a_dimension_in_any_case_everywhere_at_scale() {
    let sealed = tenants();
    let by_tenant = "south,2,50.0\nnorth,2,0.0\n(none),1,0.0\ntotal,5,20.0\n";
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let expected = sorted(&format!("\n{by_tenant}"));
    for name in ["header_X-Tenant", "header_x-tenant", "HEADER_X-TENANT"] {
        let pivot = csv(&sealed, &format!("pivot --rows {name} --metric sent,bounce_rate"));
        assert!(pivot.starts_with(&format!("{name},sent,bounce_rate\n")), "{pivot}");
        assert_eq!(sorted(&pivot), expected);
    }
    let columns = csv(&sealed, "pivot --rows bounce_class --cols header_X-Tenant --metric sent");
    assert!(columns.lines().next().unwrap().contains("north"), "{columns}");
    let latency = csv(&sealed, "latency --by header_X-Tenant");
    assert!(latency.starts_with("header_X-Tenant,delivered,") && latency.contains("\nnorth,2,"));
    let graph = csv(&sealed, "graph sent --by header_x-tenant --every 1h");
    assert!(graph.contains("2026-03-01T10:00:00Z,north,2"), "{graph}");
    for filter in
        ["header_X-Tenant=south", "header_x-tenant=s*", "job=J1 --filter header_X-Tenant=south"]
    {
        let sent = csv(&sealed, &format!("pivot --rows vmta --metric sent --filter {filter}"));
        assert_eq!(sent, "vmta,sent\nv1,2\ntotal,2\n", "{filter}");
    }
    let both = csv(
        &sealed,
        "pivot --rows vmta --metric sent --filter header_X-Tenant=south --filter header_X-Tenant=north",
    );
    assert_eq!(both, "vmta,sent\nv1,4\ntotal,4\n");
    let exported = csv(&sealed, "export --columns rcpt,header_x-tenant --filter bounce_class=hard");
    assert_eq!(exported, "rcpt,header_x-tenant\nu3@x.example,south\n");
    let found = csv(&sealed, "search --field header_x-tenant=north --fields rcpt,header_X-Tenant");
    assert_eq!(found, "rcpt,header_X-Tenant\nu1@x.example,north\nu0@x.example,north\n");
    let checked = sealed.run(&[
        "check",
        "bounce_rate",
        "-w",
        "10",
        "--by",
        "header_X-Tenant",
        "--since",
        "2026-03-01",
        "--until",
        "2026-03-02",
        "--min-n",
        "1",
        "--max-lag",
        "9d",
    ]);
    assert!(checked.stdout.contains("south"), "{checked:?}");
    let sql = csv(&sealed, "pivot --rows header_X-Tenant --metric sent --show-sql");
    assert!(sql.contains("set variable pmtaq_0 = 'header_X-Tenant';"), "{sql}");
    let why = sealed.run(&[
        "why",
        "bounced",
        "--since",
        "2026-03-01",
        "--until",
        "2026-03-02",
        "--filter",
        "header_x-tenant=south",
    ]);
    assert_eq!(why.code, Some(0), "{why:?}");
}

#[test]
fn encoded_words_are_shown_and_found_decoded() {
    let sealed = tenants();
    let subjects = csv(&sealed, "pivot --rows header_Subject --metric sent --top 1");
    assert!(
        subjects.contains("Fr\u{fc}hling,2\n") || subjects.contains("Spring,2\n"),
        "{subjects}"
    );
    assert_eq!(csv(&sealed, "search Fr\u{fc}hling --count"), "hits\n2\n");
    assert_eq!(csv(&sealed, "search --field header_Subject=hling --count"), "hits\n2\n");
}

#[test]
fn a_site_makes_dimensions_by_regular_expressions() {
    let sealed = tenants();
    let settings = "[dimensions]\nbrand = { field = \"orig\", pattern = '^bounce-([a-z]+)-' }\ncampaign = { field = \"header_message-id\", pattern = '<([0-9]+)\\.' }\n";
    sealed.file("etc/pmtaq.toml", settings);
    let pivot = csv(&sealed, "pivot --rows brand,campaign --metric sent");
    for row in ["acme,77,2\n", "zeta,78,2\n", "(none),(none),1\n"] {
        assert!(pivot.contains(row), "{pivot}");
    }
    assert!(csv(&sealed, "jobs --filter brand=acme").contains("J1,2026-03-01T10:00:00Z,2,"));
    assert!(csv(&sealed, "dimensions").contains("\nbrand,"));
    assert!(csv(&sealed, "config show").contains("dimensions.brand,"));
    for (settings, wrong) in [
        ("brand = 'orig'", "pmtaq.toml:2: `brand` must be { field"),
        ("brand = { field = 'orgi', pattern = '(.)' }", "did you mean `orig`?"),
        ("vmta = { field = 'orig', pattern = '(.)' }", "`vmta` has a meaning already"),
        ("brand = { field = 'orig', pattern = 'x' }", "has no group in parentheses"),
        ("'bra nd' = { field = 'orig', pattern = '(.)' }", "is not a name of lower-case letters"),
    ] {
        sealed.file("etc/pmtaq.toml", format!("[dimensions]\n{settings}\n"));
        let run = sealed.run(&["pivot", "--rows", "vmta"]);
        assert!(run.code == Some(2) && run.stderr.contains(wrong), "{settings}: {run:?}");
    }
    // The engine reads the expression when it is asked for.
    sealed.file("etc/pmtaq.toml", "[dimensions]\nbrand = { field = 'orig', pattern = '(' }\n");
    let run = sealed.run(&["pivot", "--rows", "brand"]);
    assert!(run.code == Some(2) && run.stderr.contains("dimensions.brand"), "{run:?}");
    assert_eq!(sealed.run(&["pivot", "--rows", "vmta"]).code, Some(0));
}

#[test]
fn names_of_headers_and_values_are_no_sql() {
    let sealed = tenants();
    for name in ["header_x'", "header_x\"", "header_x) --", "header_\u{1b}", "header_"] {
        let run = sealed.run(&["pivot", "--rows", name]);
        assert_eq!(run.code, Some(2), "{name}: {run:?}");
        assert!(run.stderr.contains("there is no dimension"), "{run:?}");
    }
    let run = sealed.run(&["pivot", "--rows", "vmta", "--filter", "header_X-Tenant=' or 1=1 --"]);
    assert!(run.code == Some(0) && run.stderr.contains("no rows"), "{run:?}");
    for filter in ["header_X-Tenant", "=x", "header_X-Tenant=", "nonsense=1"] {
        assert_eq!(sealed.run(&["domains", "--filter", filter]).code, Some(2), "{filter}");
    }
}

#[test]
fn an_alert_counts_by_a_header() {
    let sealed = tenants();
    let rules = "[[rule]]\nname = \"tenant\"\nmetric = \"bounced\"\nby = [\"header_X-Tenant\"]\nonly = { \"header_x-tenant\" = [\"s*\"] }\nabove = 0\nwindow = \"1h\"\n";
    let path = sealed.file("alerts.toml", rules);
    let mut command = sealed.command();
    command.args(["--now", "2026-03-01T11:00:00Z", "alert", "backfill"]).arg(&path);
    let output = command.args(["--since", "2026-03-01T09:00:00Z"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("south: bounced 1") && !said.contains("north"), "{output:?}");
}

/// Two hours, in the second of which half of what a tenant sends bounces, whatever its job.
fn tenant_in_trouble() -> Sealed {
    let sealed = Sealed::new();
    let mut text = HEADER.to_owned();
    for n in 0..1600 {
        let (hour, tenant) = (9 + n / 800, ["north", "south", "east", "west"][n % 4]);
        let bounces = hour == 10 && tenant == "south" && n % 8 == 1;
        let (rec, diag, category) = if bounces {
            ("b", "smtp;550 5.7.1 Message rejected as spam by content", "spam-related")
        } else {
            ("d", "smtp;250 ok", "")
        };
        let time = format!("2026-03-01 {hour:02}:{:02}:{:02}+0000", n % 800 / 14, n % 60);
        text += &format!(
            "{rec},{time},{time},news@s.example,u{n}@x.example,2.0.0,{diag},{category},198.51.100.1,v1,J{},{tenant},<{}.{n}@x>,s\n",
            n / 4 % 5,
            n % 4
        );
    }
    let path = sealed.file("acct.csv", text);
    sealed.ingest(&[&path]);
    sealed
}

#[test]
fn why_names_a_header_or_a_dimension_of_the_site_as_the_cause_at_scale() {
    let sealed = tenant_in_trouble();
    sealed.file(
        "etc/pmtaq.toml",
        "[dimensions]\ncampaign = { field = \"header_message-id\", pattern = '<([0-9]+)\\.' }\n",
    );
    let window = ["--window", "2026-03-01T10:00..11:00", "--vs", "previous"];
    let why = |more: &[&str]| sealed.run(&[&["why", "bounce_rate"][..], &window, more].concat());
    for (by, value) in [("header_X-Tenant", "south"), ("campaign", "1")] {
        let run = why(&["--by", by]);
        assert!(run.stdout.contains(&format!("{by} {value}")), "{run:?}");
        assert!(run.stdout.contains("100 of 200 (50.0 %) bounced, usually 0 of "), "{run:?}");
        assert!(run.stdout.contains(&format!("--filter {by}={value}")), "{run:?}");
        let json = why(&["--by", by, "--format", "csv"]);
        let header = json.stdout.lines().next().unwrap();
        assert!(header.contains(by) && !header.contains("job_id"), "{json:?}");
    }
    // The command that it prints gives these records.
    let filter = ["--filter", "header_X-Tenant=south", "--where", "rec = 'b'", "--format", "csv"];
    let exported = sealed.done(&[&["export", "--columns", "rcpt"][..], &filter].concat());
    assert_eq!(exported.lines().count(), 101);
    assert!(!why(&[]).stdout.contains("south"), "without --by no header is looked at");
    assert!(why(&["--by", "header_X-Tenant", "--show-sql"]).stdout.contains("header_X-Tenant"));
    for (by, wrong) in [
        ("vmta", "tells causes apart by vmta already"),
        ("smtp_code", "tells no cause by smtp_code"),
        ("nonsense", "there is no dimension `nonsense`"),
    ] {
        let run = why(&["--by", by]);
        assert!(run.code == Some(2) && run.stderr.contains(wrong), "{run:?}");
    }
    let run = sealed.run(&["why", "complaint_rate", "--by", "header_X-Tenant"]);
    assert!(run.stderr.contains("a complaint does not say its header_X-Tenant"), "{run:?}");
}
