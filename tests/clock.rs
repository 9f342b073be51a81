//! Right by the clock: hours that come twice or not at all, days of 23 and 25 hours, and times as
//! accounting files and answers spell them.

use crate::sealed::Sealed;

/// A store of one delivery at each of these UTC times.
fn deliveries(times: &[&str]) -> Sealed {
    let sealed = Sealed::new();
    let header = "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,dlvDestinationIp,vmta\n";
    let row = |time: &&str| {
        format!(
            "d,{time}+0000,{time}+0000,a@s.example,u@x.example,2.0.0,smtp;250 ok,198.51.100.1,v1\n"
        )
    };
    let path =
        sealed.file("acct.csv", header.to_owned() + &times.iter().map(row).collect::<String>());
    sealed.ingest(&[&path]);
    sealed
}

/// Both hours called 2, the hours around them, and the last of the day.
const AUTUMN: [&str; 6] = [
    "2026-10-24 22:30:00",
    "2026-10-25 00:10:00",
    "2026-10-25 00:50:00",
    "2026-10-25 01:30:00",
    "2026-10-25 02:30:00",
    "2026-10-25 22:59:59",
];

fn table(sealed: &Sealed, line: &str) -> String {
    sealed.done(&line.split(' ').collect::<Vec<_>>())
}

/// The first column and the last number of each row of an answer as CSV.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[0].to_owned(), cells[cells.len() - 1].to_owned())
    };
    text.lines().skip(1).map(pair).collect()
}

#[test]
fn the_hour_that_comes_twice_is_two_rows_told_apart_by_their_offset_at_scale() {
    let sealed = deliveries(&AUTUMN);
    let zone = "--tz Europe/Madrid --since 2026-10-25 --until 2026-10-26";
    let volume = table(&sealed, &format!("volume {zone}"));
    let hours: Vec<&str> = volume.lines().skip(2).collect();
    assert_eq!(hours.len(), 25, "{volume}");
    for (hour, delivered) in [
        ("2026-10-25 00:00:00 ", 1),
        ("2026-10-25 01:00:00 ", 0),
        ("2026-10-25 02:00:00+02:00 ", 2),
        ("2026-10-25 02:00:00+01:00 ", 1),
        ("2026-10-25 03:00:00 ", 1),
        ("2026-10-25 23:00:00 ", 1),
    ] {
        let row: Vec<&&str> = hours.iter().filter(|row| row.starts_with(hour)).collect();
        assert_eq!(row.len(), 1, "{hour}: {volume}");
        let words: Vec<&str> = row[0].split_whitespace().collect();
        assert_eq!(words[3], delivered.to_string(), "{volume}");
    }
    // The same from the records, and in the words of programs.
    let json = table(&sealed, &format!("volume {zone} --from records --format json"));
    assert!(json.contains("\"time\":\"2026-10-25T00:00:00Z\",\"injected\":2"), "{json}");
    assert!(json.contains("\"time\":\"2026-10-25T01:00:00Z\",\"injected\":1"), "{json}");
    let day = table(&sealed, &format!("volume {zone} --per day --format csv"));
    assert!(day.contains("\n2026-10-25,6,6,0,0,0,\n"), "{day}");
    let pivot = table(&sealed, &format!("pivot --rows hour --metric sent {zone} --format csv"));
    let expected = [
        ("2026-10-25 00:00", "1"),
        ("2026-10-25 02:00+02:00", "2"),
        ("2026-10-25 02:00+01:00", "1"),
        ("2026-10-25 03:00", "1"),
        ("2026-10-25 23:00", "1"),
        ("total", "6"),
    ];
    let expected = expected.map(|(hour, sent)| (hour.to_owned(), sent.to_owned()));
    assert_eq!(pairs(&pivot), expected);
    let fine = table(&sealed, &format!("pivot --rows minute5 --metric sent {zone} --format csv"));
    assert!(
        fine.contains(
            "2026-10-25 02:10+02:00,1\n2026-10-25 02:50+02:00,1\n2026-10-25 02:30+01:00,1\n"
        ),
        "{fine}"
    );
    let graph = table(&sealed, &format!("graph sent --every 1h {zone} --format csv"));
    assert!(graph.contains("2026-10-25T00:00:00Z,2,"), "{graph}");
    assert!(graph.contains("2026-10-25T01:00:00Z,1,"), "{graph}");
    let drawn = "graph sent --every 10m --tz Europe/Madrid --since 2026-10-25T01:30 --until 2026-10-25T03:30";
    let drawn = table(&sealed, drawn);
    assert!(drawn.contains("+02") && drawn.contains("+01"), "{drawn}");
    let queue = table(&sealed, &format!("queue {zone}"));
    assert!(
        queue.contains("2026-10-25 02:00:00+02:00") && queue.contains("2026-10-25 02:00:00+01:00")
    );
    let search = table(&sealed, &format!("search --rcpt u@x.example --fields time_logged {zone}"));
    assert!(search.contains("2026-10-25 02:30:00+01:00\n2026-10-25 02:50:00+02:00\n"), "{search}");
    let hour = "--tz Europe/Madrid --since 2026-10-25T02:00+02:00 --until 2026-10-25T02:00+01:00";
    let run = sealed.run(&format!("domains {hour}").split(' ').collect::<Vec<_>>());
    assert!(
        run.stderr.starts_with("2026-10-25 02:00+02:00 to 2026-10-25 02:00+01:00 Europe/Madrid")
    );
    let words: Vec<&str> = run.stdout.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(words[..2], ["x.example", "2"], "{run:?}");
}

#[test]
fn no_record_is_lost_where_the_clock_is_changed_by_half_an_hour() {
    // Lord Howe Island goes back from 02:00 to 01:30, and on from 02:00 to 02:30.
    let autumn = deliveries(&["2026-04-04 14:45:00", "2026-04-04 15:15:00", "2026-04-04 15:40:00"]);
    let volume = table(&autumn, "volume --tz Australia/Lord_Howe --format csv");
    for time in ["2026-04-04T14:00:00Z", "2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z"] {
        assert!(volume.contains(&format!("\n{time},1,1,")), "{volume}");
    }
    let spring = deliveries(&["2026-10-03 15:10:00", "2026-10-03 15:40:00", "2026-10-03 16:10:00"]);
    let volume = table(&spring, "volume --tz Australia/Lord_Howe --format csv");
    for time in ["2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z"] {
        assert!(volume.contains(&format!("\n{time},1,1,")), "{volume}");
    }
}

#[test]
fn an_hour_begins_at_half_past_where_the_clock_says_so() {
    // St. John's went back at 02:00 of a clock that is 2 1/2 hours behind, then 3 1/2.
    let sealed = deliveries(&["2026-11-01 03:40:00", "2026-11-01 04:20:00", "2026-11-01 05:20:00"]);
    let volume = table(&sealed, "volume --tz America/St_Johns --format csv");
    let times = ["2026-11-01T03:30:00Z", "2026-11-01T04:30:00Z"];
    let of = |time: &str| volume.lines().find(|line| line.starts_with(time)).map(str::to_owned);
    assert_eq!(
        times.map(|time| of(time).unwrap()[20..].to_owned()),
        [",2,2,0,0,0,", ",1,1,0,0,0,"]
    );
    let graph = table(&sealed, "graph sent --every 1h --tz America/St_Johns --format csv");
    assert!(graph.contains("2026-11-01T03:30:00Z,2,"), "{graph}");
    assert!(graph.contains("2026-11-01T04:30:00Z,1,"), "{graph}");
    let text = table(&sealed, "volume --tz America/St_Johns");
    assert!(
        text.contains("2026-11-01 01:00:00-02:30") && text.contains("2026-11-01 01:00:00-03:30")
    );
}

#[test]
fn an_hour_that_the_clock_skips_is_not_there() {
    let sealed = deliveries(&["2026-03-29 00:30:00", "2026-03-29 01:30:00", "2026-03-29 03:30:00"]);
    let zone = "--tz Europe/Madrid --since 2026-03-29 --until 2026-03-30";
    let volume = table(&sealed, &format!("volume {zone}"));
    let hours: Vec<&str> = volume.lines().skip(2).map(|line| &line[11..16]).collect();
    assert_eq!(hours, ["01:00", "03:00", "04:00", "05:00"], "{volume}");
    let graph = table(&sealed, &format!("graph sent --every 1h {zone} --format csv"));
    assert_eq!(pairs(&graph).iter().filter(|(time, _)| time == "2026-03-29T01:00:00Z").count(), 1);
    // A day of 23 hours.
    let day = table(&sealed, &format!("graph sent --every 1d {zone} --format csv"));
    assert!(day.contains("2026-03-28T23:00:00Z,3,"), "{day}");
}

#[test]
fn times_are_taken_as_accounting_files_and_answers_spell_them() {
    let sealed = deliveries(&AUTUMN);
    for (since, until) in [
        ("2026-10-25 00:50:00+0000", "2026-10-25 00:50:01+0000"),
        ("10/24/2026 20:50:00-0400", "10/24/2026 20:50:01-0400"),
        ("2026-10-25T02:50:00.000+02:00", "2026-10-25 02:50:00.900+02:00"),
        ("1792889400", "1792889401"),
        ("1792889400000", "1792889401000"),
        ("2026-10-25 02:50+02:00", "2026-10-25 02:51:00+02:00"),
    ] {
        let times = ["--since", since, "--until", until, "--tz", "Europe/Madrid"];
        let args = [&["search", "--rcpt", "u@x.example", "--count", "--format", "csv"], &times[..]];
        let until_is_open = until.contains(".900");
        let run = sealed.run(&args.concat());
        if until_is_open {
            // A store knows seconds: this window is empty, and says so.
            assert!(run.stderr.contains("the window is empty"), "{run:?}");
        } else {
            assert_eq!(run.stdout, "hits\n1\n", "{since}: {run:?}");
        }
    }
    let at = ["latency", "--at", "2026-10-25 01:30:00+0000", "--format", "csv", "-q"];
    assert!(sealed.done(&at).contains("(all),1,"));
}

#[test]
fn time_runs_forward_and_is_not_cut_at_scale() {
    let sealed = Sealed::of_samples();
    let keys = |line: &str| -> Vec<String> {
        let table = table(&sealed, &format!("{line} -q"));
        table.lines().skip(2).map(|row| row.split("  ").next().unwrap().to_owned()).collect()
    };
    let hours: Vec<String> = (0..24).map(|hour| format!("{hour:02}")).collect();
    assert_eq!(keys("pivot --rows hour_of_day --metric sent")[..24], hours);
    assert_eq!(keys("latency --by hour_of_day"), hours);
    let days = ["2026-03-01", "2026-03-02", "2026-03-03"];
    assert_eq!(keys("pivot --rows day --metric bounce_rate")[..3], days);
    for report in ["deferrals", "top-bounces", "complaints", "tls", "latency", "sizes", "survival"]
    {
        assert_eq!(keys(&format!("{report} --by day")), days, "{report}");
    }
    assert_eq!(keys("deferrals --by weekday"), ["Mon", "Tue", "Sun"]);
    let days_of =
        |line: &str| keys(line).into_iter().filter(|key| key.starts_with("2026")).collect();
    let of_both: Vec<String> = days_of("pivot --rows day,provider --metric sent --top 40");
    assert!(of_both.len() == 40 && of_both.is_sorted(), "{of_both:?}");
    let second = table(&sealed, "pivot --rows provider,day --metric sent --top 9 -q");
    let order: Vec<(&str, &str)> = second
        .lines()
        .skip(2)
        .take(9)
        .map(|row| {
            let mut words = row.split_whitespace();
            (words.next().unwrap(), words.next().unwrap())
        })
        .collect();
    assert!(order.chunk_by(|a, b| a.0 == b.0).all(|days| days.is_sorted()), "{second}");
    assert_eq!(order[..3].iter().map(|of| of.1).collect::<Vec<_>>(), days, "{second}");
    let columns = table(&sealed, "pivot --rows provider --cols hour_of_day --metric sent --top 1");
    let heading: Vec<&str> = columns.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading[1..25], hours);
    assert_eq!(heading[25..], ["total"]);
    // Who asks for few gets few.
    assert_eq!(keys("latency --by hour_of_day --top 3"), hours[..3]);
}
