//! The HTML report: what it says of the samples, that it is one file and small, and that hostile
//! text stays text.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::readers::python;
use crate::sealed::{Sealed, golden};

const DAY: [&str; 6] = ["report", "--since", "2026-03-02", "--until", "2026-03-03", "--html"];

fn report(sealed: &Sealed, more: &[&str]) -> String {
    sealed.done(&[&DAY[..], &["-"], more].concat())
}

/// What a reader can read, a line for each piece of text.
fn said(html: &str) -> String {
    let body = &html[html.find("<body>").unwrap()..html.rfind("<script>").unwrap()];
    let mut said = String::new();
    let mut before = "";
    for piece in body.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
        // Each step of a chart and its axis: what a reader sees as a line.
        let is_drawn = before.starts_with("rect class=\"hover\"") || tag.contains("\"tick\"");
        before = tag;
        if is_drawn {
            continue;
        }
        match tag.split(' ').next().unwrap() {
            "tr" | "li" | "h1" | "h2" | "h3" | "p" | "div" | "dt" | "figcaption" | "blockquote"
            | "summary" | "caption" => said.push('\n'),
            "td" | "th" | "dd" | "title" | "text" => said.push_str(" | "),
            _ => {}
        }
        said.push_str(text);
    }
    let said = said.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    let said = said.replace("&amp;", "&");
    let lines = said.lines().map(str::trim_end).filter(|line| !line.is_empty() && *line != "Copy");
    lines.map(|line| line.to_owned() + "\n").collect()
}

#[test]
fn the_report_of_a_day_says_what_its_golden_file_says_at_scale() {
    let sealed = Sealed::of_samples();
    golden("page/day.txt", &said(&report(&sealed, &[])));
    golden(
        "page/provider.txt",
        &said(&report(&sealed, &["--provider", "yahoo", "--tz", "Europe/Madrid"])),
    );
}

#[test]
fn a_sender_and_an_mta_that_fall_silent_at_noon_are_problems_by_the_days_before() {
    let sealed = Sealed::new();
    let logged = |host: &str, senders: &[&str], silent: (&str, usize)| {
        let mut csv = "type,timeLogged,timeQueued,orig,rcpt,dsnDiag\n".to_owned();
        for (day, hour, n) in (1..=5)
            .flat_map(|day| (0..24).flat_map(move |hour| (0..20).map(move |n| (day, hour, n))))
        {
            for sender in senders.iter().filter(|of| day < 5 || hour < silent.1 || **of != silent.0)
            {
                let time = format!("2026-03-0{day} {hour:02}:{:02}:00+0000", n * 3);
                let _ = writeln!(csv, "d,{time},{time},a@{sender},u{n}@d.example,smtp;250 ok");
            }
        }
        let path = sealed.file(&format!("acct-{host}.csv"), csv);
        sealed.done(&["ingest", "--host", host, path.to_str().unwrap()]);
    };
    let problems_of = |until: &str, more: &[&str]| {
        let now = ["--now", "2026-03-06T01:00:00Z"];
        let day = ["report", "-", "--since", "2026-03-05", "--until", until];
        let day = [&day, &now[..], more].concat();
        let said = said(&sealed.done(&day));
        said[said.find("\nProblems").unwrap()..said.find("\nVolume").unwrap_or(said.len())]
            .to_owned()
    };
    let problems = |until: &str| problems_of(until, &[]);
    logged("mta-a", &["one.example", "two.example"], ("one.example", 12));
    let text = problems("2026-03-06");
    let words = [
        "Stopped sending",
        "one.example: next to nothing injected",
        "one.example: 0 injected since 12:00, usually 220 in these hours",
    ];
    words.iter().for_each(|words| assert!(text.contains(words), "{words}: {text}"));
    assert!(!text.contains("two.example"), "{text}");
    assert!(!problems("2026-03-05T12:00").contains("Stopped"), "it had not stopped yet");
    // Its MTA sends what others send.
    let text = problems_of("2026-03-06", &["--sender", "one.example"]);
    assert!(text.contains("since 12:00") && !text.contains("mta-a: next"), "{text}");
    // An MTA without records takes its senders with it: that is no word on these. (The last hour has no end yet.)
    logged("mta-b", &["three.example"], ("three.example", 15));
    let text = problems("2026-03-06");
    let words = [
        "mta-b: next to no record",
        "mta-b: 0 attempts since 15:00, usually 160 in these hours",
        "pmtaq status --hosts",
        "one.example: 0 injected since 12:00, usually 220 in these hours",
    ];
    words.iter().for_each(|words| assert!(text.contains(words), "{words}: {text}"));
    assert!(!text.contains("three.example"), "{text}");
}

#[test]
fn what_waited_half_a_morning_and_was_delivered_then_is_a_problem_at_scale() {
    let sealed = Sealed::new();
    let mut csv = "type,timeLogged,timeQueued,orig,rcpt,vmta,jobId,dsnDiag,bounceCat\n".to_owned();
    for day in 1..=8 {
        for n in 0..1440 {
            let queued = n * 60;
            let vmta = if n % 2 == 0 { "v-slow" } else { "v-good" };
            // On the last day one waits for noon from 08:00 on.
            let is_held = day == 8 && vmta == "v-slow" && (28_800..43_200).contains(&queued);
            let logged = if is_held { 43_200 + n } else { queued + 2 + n % 3 };
            let clock = |second: usize| {
                let (hour, minute) = (second / 3600, second / 60 % 60);
                format!("2026-03-0{day} {hour:02}:{minute:02}:{:02}+0000", second % 60)
            };
            let (logged, queued) = (clock(logged), clock(queued));
            let rest = format!("a@s.example,u{n}@d{}.example,{vmta},daily", n % 7);
            csv += &format!("r,{queued},,{rest},,\nd,{logged},{queued},{rest},smtp;250 ok,\n");
        }
    }
    let path = sealed.file("acct.csv", csv);
    sealed.ingest(&[&path]);
    let day = ["--since", "2026-03-08", "--until", "2026-03-09", "--now", "2026-03-09T06:00:00Z"];
    let html = said(&sealed.done(&[&["report", "--html", "-"], &day[..]].concat()));
    let problems = &html[html.find("Problems 1").unwrap_or_default()..];
    let problems = &problems[..problems.find("Volume").unwrap_or(problems.len())];
    for words in ["Slow deliveries", "v-slow: ", "later than usual", "our own queue"] {
        assert!(problems.contains(words), "{words}: {problems}");
    }
}

#[test]
fn a_report_is_one_file_that_asks_for_no_other_at_scale() {
    let html = report(&Sealed::of_samples(), &[]);
    for word in ["src=", "@import", "url(", "<link rel=\"stylesheet", "fetch(", "XMLHttpRequest"] {
        assert!(!html.contains(word), "{word}");
    }
    assert_eq!(html.matches("<script>").count(), 1);
    assert!(html.contains("default-src &#39;none&#39;") || html.contains("default-src 'none'"));
    assert!(!html.contains(" style=\"") && !html.contains(" onclick"));
}

#[test]
fn a_report_goes_to_a_file_or_to_stdout_at_scale() {
    let sealed = Sealed::of_samples();
    let file = sealed.dir.path().join("day.html");
    let run = sealed.run(&[&DAY[..], &[file.to_str().unwrap()]].concat());
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    assert!(run.stderr.contains("1 problem; first: microsoft"), "{}", run.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim_end(), report(&sealed, &[]).trim_end());
    // The option that all answers have serves as well, and names no second file.
    assert_eq!(sealed.done(&[&DAY[..5], &["-o", "-"]].concat()), report(&sealed, &[]));
    let twice = sealed.run(&[&DAY[..5], &["a.html", "-o", "b.html"]].concat());
    assert!(twice.code == Some(2) && twice.stderr.contains("cannot be used with"), "{twice:?}");
    let run = sealed.run(&["report", "--html", "/nowhere/day.html"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    let run = sealed.run(&["report", "--html", "-", "--since", "2027-01-01"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
}

#[test]
fn an_empty_store_has_a_report_too() {
    let sealed = Sealed::new();
    sealed.done(&["ingest", "-q", "samples/quirks/quirk-header-alone.csv"]);
    let text = said(&report(&sealed, &[]));
    assert!(text.contains("There is no record at all"), "{text}");
}

/// What a person finds who reads the report of `args` in a browser. Pictures go to the folder that
/// PMTAQ_PICTURES names.
fn looked_at(sealed: &Sealed, args: &[&str]) -> Value {
    let file =
        sealed.file("report.html", sealed.done(&[&["report", "--html", "-"], args].concat()));
    let pictures = std::env::var_os("PMTAQ_PICTURES").map(PathBuf::from);
    let paths: Vec<&Path> = std::iter::once(file.as_path()).chain(pictures.as_deref()).collect();
    python("page.py", &paths)
}

/// A page that a browser has nothing to say about, and everybody can read.
fn is_sound(found: &Value) {
    assert_eq!(found["errors"], serde_json::json!([]));
    assert_eq!(found["requests"], serde_json::json!([]));
    for theme in ["light", "dark", "phone"] {
        let look = &found[theme];
        assert_eq!(look["pale"], serde_json::json!([]), "{theme}: texts without contrast");
        assert_eq!(look["skipped"], serde_json::json!([]), "{theme}: headings");
        assert_eq!((&look["without_caption"], &look["without_name"]), (&0.into(), &0.into()));
        assert_eq!(look["wide"], 0, "{theme}: the page is wider than the screen");
    }
    for picture in ["light.png", "dark.png", "phone.png", "print.pdf"] {
        assert!(found["pictures"][picture].as_u64().unwrap() > 20_000, "{picture} is empty");
    }
}

fn numbers(of: &Value) -> Vec<u64> {
    let texts = of.as_array().unwrap().iter().map(|text| text.as_str().unwrap().replace(',', ""));
    texts.map(|text| text.parse().unwrap()).collect()
}

#[test]
fn a_report_can_be_read_sorted_and_filtered_in_a_browser_at_scale() {
    let found =
        looked_at(&Sealed::of_samples(), &["--since", "2026-03-01", "--until", "2026-03-04"]);
    is_sound(&found);
    let (down, up) = (numbers(&found["descending"]), numbers(&found["ascending"]));
    assert!(down.len() >= 12 && down.is_sorted_by(|a, b| a >= b), "{down:?}");
    assert!(up.is_sorted() && up[0] < down[0], "{up:?}");
    assert_eq!(found["sort"], "ascending");
    let filtered = found["filtered"].as_array().unwrap();
    let is_shop = |job: &Value| job.as_str().unwrap().starts_with("shop-");
    assert!(!filtered.is_empty() && filtered.iter().all(is_shop), "{filtered:?}");
    let tip = found["tip"].as_str().unwrap();
    assert!(tip.starts_with("2026-03-01 ") && tip.contains("gmail: "), "{tip}");
    let theme = found["theme"].as_array().unwrap();
    assert!(theme[0] == theme[2] && theme[0] != theme[1], "{theme:?}");
}

/// Texts that want to be more than text.
const HOSTILE: [&str; 7] = [
    "<script>pwned = 1</script>",
    "</script><script>pwned = 1</script>",
    "\"><img src=x onerror='pwned = 1'>",
    "' onmouseover='pwned = 1' x='",
    "javascript:pwned=1",
    "</title></style></svg><svg onload=pwned=1>",
    "<!-- ]]> &lt;b&gt; ${pwned = 1} \u{202e}txet\u{202c} \u{1b}[31m",
];

#[test]
fn text_of_strangers_stays_text_at_scale() {
    let sealed = Sealed::new();
    let mut csv = "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,dsnMta,bounceCat,dlvSourceIp,dlvDestinationIp,vmta,jobId\n".to_owned();
    let long = "w".repeat(3000);
    for (n, text) in HOSTILE.iter().chain([&long.as_str()]).enumerate() {
        let text = text.replace('"', "\"\"");
        for (rec, day, count) in [("d", 1, 40), ("d", 2, 20), ("t", 2, 30), ("b", 2, 30)] {
            for second in 0..count {
                let (status, reply) = match rec {
                    "d" => ("2.0.0 (success)", "smtp;250 ok".to_owned()),
                    "t" => ("4.7.0 (later)", format!("smtp;421 4.7.0 {text}")),
                    _ => ("5.7.1 (no)", format!("smtp;550 5.7.1 {text}")),
                };
                csv += &format!(
                    "{rec},2026-03-0{day} 10:{n:02}:{second:02}+0000,2026-03-0{day} 10:00:00+0000,\
                     {rec}{second}@s{n}.example,{second}@r{n}.example,{status},\"{reply}\",\
                     mx.r{n}.example (198.51.100.1),\"{text}\",192.0.2.1,198.51.100.1,\"{text}\",\"shop{text}\"\n"
                );
            }
        }
    }
    let file = sealed.file("acct.csv", csv);
    sealed.done(&["ingest", "-q", "--host", "<script>pwned = 1</script>", file.to_str().unwrap()]);
    let found = looked_at(&sealed, &["--since", "2026-03-02", "--until", "2026-03-03"]);
    is_sound(&found);
    assert_eq!(found["pwned"], false);
    for element in found["foreign"].as_array().unwrap() {
        let element = element.as_str().unwrap();
        let is_ours = [
            "<style>/*",
            "<script>// What",
            "<link rel=\"icon\"",
            "<a href=\"#",
            "<a class=\"skip\"",
        ];
        assert!(is_ours.iter().any(|own| element.starts_with(own)), "{element}");
    }
    let text = found["text"].as_str().unwrap();
    for hostile in &HOSTILE[..6] {
        assert!(text.contains(hostile), "not shown as it is: {hostile}");
    }
    assert!(text.contains("\\u{202e}txet") && !text.contains('\u{202e}'));
}
