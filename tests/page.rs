//! The HTML report: what it says of the samples, that it is one file and small, and that hostile
//! text stays text.

use crate::sealed::{Sealed, golden};

fn samples() -> Sealed {
    let sealed = Sealed::new();
    sealed.done(&["ingest", "-q", "--host", "testmta", "samples/acct"]);
    sealed
}

const DAY: [&str; 6] = ["report", "--since", "2026-03-02", "--until", "2026-03-03", "--html"];

fn report(sealed: &Sealed, more: &[&str]) -> String {
    sealed.done(&[&DAY[..], &["-"], more].concat())
}

/// What a reader can read, a line for each piece of text.
fn said(html: &str) -> String {
    let body = &html[html.find("<body>").unwrap()..html.rfind("<script>").unwrap()];
    let mut said = String::new();
    for piece in body.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
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
fn the_report_of_a_day_says_what_its_golden_file_says() {
    let sealed = samples();
    golden("page/day.txt", &said(&report(&sealed, &[])));
    golden(
        "page/provider.txt",
        &said(&report(&sealed, &["--provider", "yahoo", "--tz", "Europe/Madrid"])),
    );
}

#[test]
fn a_report_is_one_file_that_asks_for_no_other() {
    let html = report(&samples(), &[]);
    for word in ["src=", "@import", "url(", "<link rel=\"stylesheet", "fetch(", "XMLHttpRequest"] {
        assert!(!html.contains(word), "{word}");
    }
    assert_eq!(html.matches("<script>").count(), 1);
    assert!(html.contains("default-src &#39;none&#39;") || html.contains("default-src 'none'"));
    assert!(!html.contains(" style=\"") && !html.contains(" onclick"));
}

#[test]
fn a_report_goes_to_a_file_or_to_stdout() {
    let sealed = samples();
    let file = sealed.dir.path().join("day.html");
    let run = sealed.run(&[&DAY[..], &[file.to_str().unwrap()]].concat());
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    assert!(run.stderr.contains("problems; first: "), "{}", run.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim_end(), report(&sealed, &[]).trim_end());
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
