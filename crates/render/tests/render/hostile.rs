//! Texts written by strangers: a reply is whatever the other side sends.

use std::sync::Arc;

use arrow::array::{Int64Array, StringArray};
use pmtaq_render::{Format, Sheet, Style};

use crate::{batch, reply, text};

const EVIL: &str = "550 \x1b[2J\u{202e}a|b\\\n<script>\t\"x\",=1";

#[test]
fn a_table_shows_escapes_and_obeys_none() {
    let table = reply(Format::Table, &Style::default(), EVIL);
    let row = table.lines().nth(2).unwrap();
    assert_eq!(row, "550 \\x1b[2J\\u{202e}a|b\\\\n<script>\\t\"x\",=1");
}

#[test]
fn markdown_shows_escapes_and_is_no_html() {
    let page = reply(Format::Markdown, &Style::default(), EVIL);
    let row = page.lines().nth(2).unwrap();
    assert_eq!(row, "| 550 \\\\x1b\\[2J\\\\u{202e}a\\|b\\\\\\\\n&lt;script>\\\\t\"x\",=1 |");
}

#[test]
fn html_shows_escapes_and_nothing_of_a_reply_is_markup() {
    let page = reply(Format::Html, &Style::default(), EVIL);
    let row = page.lines().find(|line| line.contains("<td>")).unwrap();
    assert_eq!(
        row,
        "<tr><td>550 \\x1b[2J\\u{202e}a|b\\\\n&lt;script&gt;\\t&quot;x&quot;,=1</td></tr>"
    );
}

#[test]
fn xml_stays_well_formed_and_keeps_all_that_xml_can_hold() {
    let page = reply(Format::Xml, &Style::default(), EVIL);
    let row = page.lines().find(|line| line.starts_with("<row>")).unwrap();
    assert_eq!(
        row,
        "<row><field name=\"reply\">550 \\x1b[2J\u{202e}a|b\\&#10;&lt;script&gt;&#9;&quot;x&quot;,=1</field></row>"
    );
}

#[test]
fn csv_and_json_keep_the_exact_text() {
    let csv = reply(Format::Csv, &Style::default(), EVIL);
    assert_eq!(csv, "reply\n\"550 \x1b[2J\u{202e}a|b\\\n<script>\t\"\"x\"\",=1\"\n");
    let json = reply(Format::Jsonl, &Style::default(), EVIL);
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["reply"], EVIL);
}

#[test]
fn tsv_escapes_what_would_end_a_cell() {
    let tsv = reply(Format::Tsv, &Style::default(), "a\tb\nc\r\\d\"");
    assert_eq!(tsv, "reply\na\\tb\\nc\\r\\\\d\"\n");
}

#[test]
fn csv_safe_disarms_texts_that_a_spreadsheet_would_run() {
    let safe = Style { csv_safe: true, ..Style::default() };
    let cases = [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "\"'\r=1\""),
        ("=\"a\"", "\"'=\"\"a\"\"\""),
        ("\n=1", "\"'\n=1\""),
        // Signs of full width, which some spreadsheets read as the others.
        ("\u{ff1d}1+1", "'\u{ff1d}1+1"),
        ("\u{ff20}SUM(A1)", "'\u{ff20}SUM(A1)"),
        ("a=1", "a=1"),
    ];
    for (value, cell) in cases {
        assert_eq!(reply(Format::Csv, &safe, value), format!("reply\n{cell}\n"));
    }
    assert_eq!(reply(Format::Csv, &Style::default(), "=1+1"), "reply\n=1+1\n");
}

#[test]
fn no_format_steers_a_terminal_and_none_loses_a_character() {
    let evil =
        "\x1b]0;x\x07 \u{9b}2J\u{7f}\u{202e}\u{2067}\u{200b}\u{feff}\u{e0041} \u{fc}\u{1f600}\r";
    let style = Style { terminal: true, ..Style::default() };
    let hidden = |c: char| {
        c.is_control() && c != '\n' || "\u{202e}\u{2067}\u{200b}\u{feff}\u{e0041}".contains(c)
    };
    for &format in Format::ALL.iter().filter(|format| !format.is_binary()) {
        let shown = reply(format, &style, evil);
        assert!(!shown.contains(hidden), "{format}: {shown:?}");
        assert!(shown.contains("\u{fc}\u{1f600}"), "{format}: {shown:?}");
    }
    let json = reply(Format::Json, &style, evil);
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON all the same");
    assert_eq!(json[0]["reply"], evil);
    // Elsewhere a file is read, and holds the exact text.
    assert!(reply(Format::Csv, &Style::default(), evil).contains(evil.trim_end()));
    assert_eq!(reply(Format::Tsv, &style, "a\tb"), "reply\na\\tb\n");
}

#[test]
fn csv_safe_leaves_a_negative_number_a_number() {
    let rows = batch(&[("=n", Arc::new(Int64Array::from(vec![-5])))]);
    let safe = Style { csv_safe: true, ..Style::default() };
    assert_eq!(text(Format::Csv, &safe, &Sheet::new(rows.schema()), &[rows]), "'=n\n-5\n");
}

#[test]
fn a_hostile_column_name_is_escaped_too() {
    let rows = batch(&[("a\x1b|\n", Arc::new(Int64Array::from(vec![1])))]);
    let sheet = Sheet { title: Some("t\x07".to_owned()), ..Sheet::new(rows.schema()) };
    let show = |format| text(format, &Style::default(), &sheet, &[]);
    assert!(show(Format::Table).starts_with("t\\x07\n\na\\x1b|\\n\n"));
    assert!(show(Format::Markdown).starts_with("### t\\\\x07\n\n| a\\\\x1b\\|\\\\n |\n"));
    assert!(show(Format::Html).contains("<h1>t\\x07</h1>"));
    let rows = batch(&[("\"><a b='", Arc::new(Int64Array::from(vec![1])))]);
    let sheet = Sheet::new(rows.schema());
    let show = |format| text(format, &Style::default(), &sheet, std::slice::from_ref(&rows));
    assert!(show(Format::Html).contains("<th class=\"n\">&quot;&gt;&lt;a b=&#39;</th>"));
    assert!(show(Format::Xml).contains("<field name=\"&quot;&gt;&lt;a b=&#39;\">1</field>"));
}

#[test]
fn null_and_the_empty_text_differ_in_csv() {
    let values = StringArray::from(vec![Some(""), None]);
    let rows = batch(&[("a", Arc::new(values.clone())), ("b", Arc::new(values))]);
    let csv = text(Format::Csv, &Style::default(), &Sheet::new(rows.schema()), &[rows]);
    assert_eq!(csv, "a,b\n\"\",\"\"\n,\n");
}
