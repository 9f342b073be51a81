//! What is set in files, in the environment and on the command line, and what of it wins.

use crate::sealed::{Run, Sealed};

/// The value of a setting and what set it.
fn told(run: &Run, setting: &str) -> (String, String) {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&run.stdout).unwrap();
    let row = rows.iter().find(|row| row["setting"] == setting).unwrap();
    (row["value"].as_str().unwrap().to_owned(), row["set_by"].as_str().unwrap().to_owned())
}

const SHOW: [&str; 4] = ["config", "show", "--format", "json"];

#[test]
fn the_command_line_wins_over_the_environment_over_the_user_over_the_machine() {
    let sealed = Sealed::new();
    sealed.file("etc/pmtaq.toml", "# ours\ntz = 'Europe/Madrid'\n[ingest]\nhost = 'mta9'\n");
    let home = sealed.dir.path().to_str().unwrap();
    let (user, other) = (&[("HOME", home)], ("TZ", "Asia/Tokyo"));
    let tz = |run: &Run| told(run, "tz");
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());

    let run = sealed.run(&SHOW);
    assert_eq!(tz(&run), pair("Europe/Madrid", "$DIR/etc/pmtaq.toml:2"));
    assert_eq!(told(&run, "ingest.host"), pair("mta9", "$DIR/etc/pmtaq.toml:4"));
    assert_eq!(told(&run, "color"), pair("auto", "default"));

    sealed.file(".config/pmtaq/config.toml", "tz = 'Asia/Tokyo'\nmemory = '1GB'\nthreads = 3\n");
    assert_eq!(tz(&sealed.run(&SHOW)).0, "Europe/Madrid", "no HOME, no file of the user");
    let run = sealed.run_with(user, &SHOW);
    assert_eq!(tz(&run), pair("Asia/Tokyo", "$DIR/.config/pmtaq/config.toml:1"));
    assert_eq!(told(&run, "memory"), pair("1GB", "$DIR/.config/pmtaq/config.toml:2"));
    assert_eq!(told(&run, "threads"), pair("2", "--threads"));

    sealed.file("xdg/pmtaq/config.toml", "tz = 'America/Lima'\n");
    let xdg = sealed.dir.path().join("xdg");
    let run = sealed.run_with(&[user[0], ("XDG_CONFIG_HOME", xdg.to_str().unwrap()), other], &SHOW);
    assert_eq!(tz(&run), pair("America/Lima", "$DIR/xdg/pmtaq/config.toml:1"));

    let variables = [user[0], ("PMTAQ_TZ", "Asia/Kolkata"), ("PMTAQ_HOST", "mta7")];
    let run = sealed.run_with(&variables, &SHOW);
    assert_eq!(tz(&run), pair("Asia/Kolkata", "PMTAQ_TZ"));
    assert_eq!(told(&run, "ingest.host"), pair("mta7", "PMTAQ_HOST"));
    let run = sealed.run_with(&variables, &[&SHOW[..], &["--tz", "UTC"]].concat());
    assert_eq!(tz(&run), pair("UTC", "--tz"));
}

#[test]
fn what_is_set_is_what_happens() {
    let sealed = Sealed::new();
    sealed.file("etc/pmtaq.toml", "format = 'csv'\ntz = 'Asia/Tokyo'\n[ingest]\nhost = 'mta9'\n");
    sealed.done(&["ingest", "-q", "samples/acct"]);
    let days = sealed.done(&["pivot", "--rows", "host,day", "--metric", "sent"]);
    assert!(days.starts_with("host,day,sent\nmta9,2026-03-0"), "{days}");
    assert!(days.contains("mta9,2026-03-04,"), "the fourth of March begins early in Tokyo: {days}");
    let help = sealed.done(&["help", "volume"]);
    assert!(help.contains("[default: Asia/Tokyo]"), "{help}");
}

#[test]
fn a_wrong_file_is_named_with_its_line_and_help_is_there_in_any_case() {
    let sealed = Sealed::new();
    sealed.file("etc/pmtaq.toml", "\n[ingest]\nmax-reject = 3\n");
    let run = sealed.run(&["volume"]);
    let expected = "pmtaq: error: $DIR/etc/pmtaq.toml:3: there is no setting `ingest.max-reject`; \
                    did you mean `ingest.max-rejects`?\n";
    assert_eq!((run.code, run.stderr.as_str()), (Some(2), expected));
    assert_eq!(sealed.run(&["volume", "--help"]).code, Some(0));
    assert_eq!(sealed.run(&["--version"]).code, Some(0));
}

#[test]
fn the_places_are_named_in_the_order_in_which_they_are_read() {
    let sealed = Sealed::new();
    sealed.file("etc/pmtaq.toml", "");
    let home = sealed.dir.path().to_str().unwrap();
    let run = sealed.run_with(&[("HOME", home)], &["config", "path"]);
    let expected = "$DIR/etc/pmtaq.toml\n$DIR/.config/pmtaq/config.toml  (absent)\n\
                    $DIR/etc/pmtaq/providers.csv  (absent)\n\
                    $DIR/.config/pmtaq/providers.csv  (absent)\n\
                    $DIR/.config/pmtaq/privacy.key  (absent)\n\
                    $DIR/etc/pmtaq/privacy.key  (absent)\n\
                    $DIR/etc/pmtaq/reports  (absent)\n$DIR/.config/pmtaq/reports  (absent)\n";
    assert_eq!(run.stdout, expected);
}

#[test]
fn a_class_of_the_site_holds_for_what_is_stored_already_and_goes_again_at_scale() {
    let sealed = Sealed::new();
    sealed.done(&["ingest", "-q", "samples/acct"]);
    let counts = || {
        let of = |sql| sealed.number(sql);
        let hard = of(
            "select count(*) from bounces where bounce_class = 'hard' and bounce_cat = 'bad-mailbox'",
        );
        let block = of("select count(*) from bounces where bounce_class = 'block'");
        let classed = of("select count(*) from records where bounce_class is not null");
        let hourly = of(
            "select sum(records)::bigint from hourly where rec = 'b' and bounce_class = 'block'",
        );
        assert_eq!(hourly, block, "the table by hour says the same");
        (hard, block, classed)
    };
    let (hard, block, classed) = counts();
    assert!(hard > 0);
    sealed.file("etc/pmtaq.toml", "[bounce-classes]\nbad-mailbox = 'block'\n\"it's\" = 'hard'\n");
    assert_eq!(counts(), (0, block + hard, classed));
    let still_hard = "bounce_cat = 'bad-mailbox' and bounce_class = 'hard'";
    let search =
        sealed.done(&["search", "5*", "--count", "--where", still_hard, "--format", "csv"]);
    assert!(search.contains("\n0\n"), "{search}");
    let top = sealed.done(&["top-bounces", "--by", "class", "--format", "csv"]);
    assert!(top.contains("block,"), "{top}");
    let script = sealed.done(&["top-bounces", "--show-sql"]);
    assert!(script.contains("when 'it''s' then 'hard'"), "{script}");
    let other_tools = || sealed.run(&["connect", "duckdb"]).stderr;
    assert!(other_tools().contains("your [bounce-classes]"), "{}", other_tools());
    sealed.file("etc/pmtaq.toml", "");
    assert_eq!(counts(), (hard, block, classed));
    assert_eq!(other_tools(), "");
}

#[test]
fn why_counts_by_the_classes_of_the_site_as_a_pivot_does_at_scale() {
    let sealed = Sealed::new();
    sealed.done(&["ingest", "-q", "samples/acct"]);
    sealed.file("etc/pmtaq.toml", "[bounce-classes]\nbad-mailbox = 'soft'\n");
    let day = ["--since", "2026-03-03", "--until", "2026-03-04"];
    let last = |args: &[&str]| {
        let answer = sealed.done(&[args, &day, &["--format", "csv"]].concat());
        let line = answer.lines().last().unwrap_or_default().to_owned();
        line.rsplit(',').next().and_then(|n| n.parse::<i64>().ok()).unwrap_or(0)
    };
    let why = |args: &[&str]| {
        let answer = sealed.done(&[args, &day, &["--format", "json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&answer).expect("an object");
        json[0]["now"].as_i64()
    };
    let hard = last(&["pivot", "--rows", "rec", "--metric", "hard"]);
    assert!(hard > 0);
    assert_eq!(why(&["why", "hard"]), Some(hard));
    let only = ["--where", "bounce_class = 'hard'"];
    let bounced = last(&[&["pivot", "--rows", "rec", "--metric", "bounced"], &only[..]].concat());
    assert_eq!(why(&[&["why", "bounced"], &only[..]].concat()), Some(bounced));
}

#[test]
fn a_provider_table_of_the_site_holds_for_what_is_ingested_from_then_on() {
    let sealed = Sealed::new();
    sealed
        .file("etc/pmtaq/providers.csv", "# ours\nfruit,domain,icloud.com\nfruit,mx,icloud.com\n");
    sealed.done(&["ingest", "-q", "samples/acct"]);
    let of = |provider: &str| {
        sealed.number(&format!("select count(*) from records where provider = '{provider}'"))
    };
    assert!(of("fruit") > 0 && of("gmail") > 0);
    sealed.file("etc/pmtaq/providers.csv", "fruit,domain,icloud.com\nfruit;mx;icloud.com\n");
    let run = sealed.run(&["ingest", "samples/acct"]);
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr.contains("etc/pmtaq/providers.csv:2: `fruit;mx;icloud.com` is not"),
        "{run:?}"
    );
}
