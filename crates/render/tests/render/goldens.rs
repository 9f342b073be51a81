//! One ordinary sheet in every format, in full.

use arrow::array::RecordBatch;
use pmtaq_render::{Format, Style, WrittenSheet};

use crate::{bytes, open_parquet, ordinary, text};

/// Shows one sheet in one format.
fn show(format: Format, style: &Style) -> String {
    let (sheet, rows) = ordinary();
    text(format, style, &sheet, &rows)
}

/// Shows a sheet without rows.
fn show_empty(format: Format) -> String {
    text(format, &Style::default(), &ordinary().0, &[])
}

#[test]
fn a_table_is_for_people() {
    let expected = "\
rcpt_domain       sent  bounce_rate   bytes     p95  last
===========================================================================
gmail.com    1,204,311       12.3 %  1.2 MB  1m 23s  2026-03-01 16:00:00
web.de              12     ~<0.01 %   512 B    1.5s  2026-03-01 16:00:00.25
                    40                  0 B  4h 05m
";
    let table = show(Format::Table, &Style::default());
    assert_eq!(table.replace('\u{2500}', "="), expected);
}

#[test]
fn a_table_shows_instants_in_the_zone_of_the_style() {
    let style = Style { zone: chrono_tz::Tz::Asia__Kolkata, ..Style::default() };
    let table = show(Format::Table, &style);
    assert!(table.contains("2026-03-01 21:30:00.25\n"), "{table}");
}

#[test]
fn csv_has_a_header_and_lf_line_ends() {
    let expected = "\
rcpt_domain,sent,bounce_rate,bytes,p95,last
gmail.com,1204311,12.34,1234567,83.0,2026-03-01T16:00:00Z
web.de,12,0.004,512,1.5,2026-03-01T16:00:00.25Z
,40,,0,14700.0,
";
    assert_eq!(show(Format::Csv, &Style::default()), expected);
}

#[test]
fn tsv_is_the_same_with_tabs() {
    let csv = show(Format::Csv, &Style::default());
    assert_eq!(show(Format::Tsv, &Style::default()), csv.replace(',', "\t"));
}

#[test]
fn json_is_an_array_of_one_object_a_row() {
    let expected = r#"[
{"rcpt_domain":"gmail.com","sent":1204311,"bounce_rate":12.34,"bytes":1234567,"p95":83.0,"last":"2026-03-01T16:00:00Z"},
{"rcpt_domain":"web.de","sent":12,"bounce_rate":0.004,"bytes":512,"p95":1.5,"last":"2026-03-01T16:00:00.25Z"},
{"rcpt_domain":null,"sent":40,"bounce_rate":null,"bytes":0,"p95":14700.0,"last":null}
]
"#;
    assert_eq!(show(Format::Json, &Style::default()), expected);
}

#[test]
fn jsonl_is_one_object_a_line() {
    let json = show(Format::Json, &Style::default());
    let lines: String =
        json.lines().filter(|line| line.starts_with('{')).fold(String::new(), |mut lines, line| {
            lines.push_str(line.trim_end_matches(','));
            lines.push('\n');
            lines
        });
    assert_eq!(show(Format::Jsonl, &Style::default()), lines);
}

#[test]
fn markdown_is_a_table_for_a_ticket() {
    let expected = "\
| rcpt_domain | sent | bounce_rate | bytes | p95 | last |
| --- | ---: | ---: | ---: | ---: | --- |
| gmail.com | 1,204,311 | 12.3 % | 1.2 MB | 1m 23s | 2026-03-01 16:00:00 |
| web.de | 12 | ~&lt;0.01 % | 512 B | 1.5s | 2026-03-01 16:00:00.25 |
|  | 40 |  | 0 B | 4h 05m |  |
";
    assert_eq!(show(Format::Markdown, &Style::default()), expected);
}

#[test]
fn html_is_a_page_with_one_table() {
    let page = show(Format::Html, &Style::default());
    let (head, table) = page.split_once("<table>\n").unwrap();
    assert!(
        head.starts_with("<!DOCTYPE html>\n") && head.contains("<title>pmtaq</title>"),
        "{head}"
    );
    let expected = "\
<thead>
<tr><th>rcpt_domain</th><th class=\"n\">sent</th><th class=\"n\">bounce_rate</th><th class=\"n\">bytes</th><th class=\"n\">p95</th><th>last</th></tr>
</thead>
<tbody>
<tr><td>gmail.com</td><td class=\"n\">1,204,311</td><td class=\"n\">12.3 %</td><td class=\"n\">1.2 MB</td><td class=\"n\">1m 23s</td><td>2026-03-01 16:00:00</td></tr>
<tr><td>web.de</td><td class=\"n\">12</td><td class=\"n\">~&lt;0.01 %</td><td class=\"n\">512 B</td><td class=\"n\">1.5s</td><td>2026-03-01 16:00:00.25</td></tr>
<tr><td></td><td class=\"n\">40</td><td class=\"n\"></td><td class=\"n\">0 B</td><td class=\"n\">4h 05m</td><td></td></tr>
</tbody>
</table>
</body>
</html>
";
    assert_eq!(table, expected);
}

#[test]
fn xml_has_an_element_a_row_and_none_for_null() {
    let expected = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<rows>
<row><field name=\"rcpt_domain\">gmail.com</field><field name=\"sent\">1204311</field><field name=\"bounce_rate\">12.34</field><field name=\"bytes\">1234567</field><field name=\"p95\">83.0</field><field name=\"last\">2026-03-01T16:00:00Z</field></row>
<row><field name=\"rcpt_domain\">web.de</field><field name=\"sent\">12</field><field name=\"bounce_rate\">0.004</field><field name=\"bytes\">512</field><field name=\"p95\">1.5</field><field name=\"last\">2026-03-01T16:00:00.25Z</field></row>
<row><field name=\"sent\">40</field><field name=\"bytes\">0</field><field name=\"p95\">14700.0</field></row>
</rows>
";
    assert_eq!(show(Format::Xml, &Style::default()), expected);
}

#[test]
fn parquet_holds_the_same_rows_and_types() {
    let (sheet, rows) = ordinary();
    let (file, written) = bytes(Format::Parquet, &Style::default(), &sheet, &rows);
    assert_eq!(written.rows, 3);
    let read = read_parquet(&file);
    assert_eq!(read, arrow::compute::concat_batches(&sheet.schema, &rows).unwrap());
}

#[test]
fn an_answer_without_rows_keeps_its_columns() {
    let header = "rcpt_domain  sent  bounce_rate  bytes  p95  last\n";
    let rule = format!("{}\n", "\u{2500}".repeat(header.len() - 1));
    assert_eq!(show_empty(Format::Table), format!("{header}{rule}"));
    assert_eq!(show_empty(Format::Csv), "rcpt_domain,sent,bounce_rate,bytes,p95,last\n");
    assert_eq!(show_empty(Format::Json), "[]\n");
    assert_eq!(show_empty(Format::Jsonl), "");
    assert_eq!(
        show_empty(Format::Markdown),
        "| rcpt_domain | sent | bounce_rate | bytes | p95 | last |\n\
         | --- | ---: | ---: | ---: | ---: | --- |\n"
    );
    assert!(show_empty(Format::Html).contains("<th>rcpt_domain</th>"));
    assert!(show_empty(Format::Xml).ends_with("<rows>\n</rows>\n"));
    let (file, _) = bytes(Format::Parquet, &Style::default(), &ordinary().0, &[]);
    let read = read_parquet(&file);
    assert_eq!((read.num_rows(), read.num_columns()), (0, 6));
}

#[test]
fn a_title_stands_above_tables_alone() {
    let (mut sheet, _) = ordinary();
    sheet.title = Some("Top bounces".to_owned());
    let show = |format| text(format, &Style::default(), &sheet, &[]);
    assert!(show(Format::Table).starts_with("Top bounces\n\nrcpt_domain"));
    assert!(show(Format::Markdown).starts_with("### Top bounces\n\n| rcpt_domain"));
    assert!(show(Format::Html).contains("<title>Top bounces</title>"));
    assert!(show(Format::Html).contains("<h1>Top bounces</h1>\n<table>"));
    assert_eq!(show(Format::Csv), show_empty(Format::Csv));
    assert_eq!(show(Format::Xml), show_empty(Format::Xml));
}

#[test]
fn a_narrow_terminal_cuts_texts_and_says_how_many() {
    let (sheet, rows) = ordinary();
    let style = Style { width: Some(40), ..Style::default() };
    let (out, written) = bytes(Format::Table, &style, &sheet, &rows);
    let expected = "\
rcpt_domain       sent  bounce_~   bytes
========================================
gmail.com    1,204,311    12.3 %  1.2 MB
web.de              12  ~<0.01 %   512 B
                    40               0 B
";
    let table = String::from_utf8(out).unwrap();
    assert_eq!(table.replace('\u{2500}', "=").replace('\u{2026}', "~"), expected);
    assert_eq!(written, WrittenSheet { rows: 3, cut_columns: 1, hidden_columns: 2 });
}

#[test]
fn colour_adds_nothing_but_escape_sequences() {
    let plain = show(Format::Table, &Style::default());
    let coloured = show(Format::Table, &Style { color: true, ..Style::default() });
    assert!(coloured.starts_with("\x1b[1mrcpt_domain"));
    let stripped = ["\x1b[1m", "\x1b[2m", "\x1b[0m"]
        .iter()
        .fold(coloured, |text, sequence| text.replace(sequence, ""));
    assert_eq!(stripped, plain);
}

/// Reads all rows of a Parquet file.
fn read_parquet(file: &[u8]) -> RecordBatch {
    let reader = open_parquet(file);
    let schema = reader.schema().clone();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}
