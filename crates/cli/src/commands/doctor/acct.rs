//! What a configuration of PMTA asks to be logged: its `<acct-file>` blocks, with the files that it
//! includes, against what the reports ask for.

use std::path::{Path, PathBuf};

use pmtaq_query::Catalog;
use pmtaq_schema::Record;
use pmtaq_schema::acct_file::{AcctFile, AcctFiles};

use super::finding::{Finding, Severity};
use super::wants::{Wants, block, line};
use crate::failure::{Failure, Result};

/// A block, and the file it stands in.
struct BlockOfFile {
    file: PathBuf,
    block: AcctFile,
}

/// What `config` says of accounting.
pub(super) fn findings(config: &Path, catalog: &Catalog) -> Result<Vec<Finding>> {
    let text = std::fs::read(config)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", config.display())))?;
    let (mut blocks, mut findings) = (Vec::new(), Vec::new());
    let mut files = vec![(config.to_owned(), text)];
    let mut at = 0;
    while at < files.len() {
        let (file, text) = &files[at];
        let read = AcctFiles::parse(&String::from_utf8_lossy(text));
        let blocks_of_file = read.blocks.into_iter();
        blocks.extend(blocks_of_file.map(|block| BlockOfFile { file: file.clone(), block }));
        let mut trouble = |line: usize, what: &str| {
            let what = format!("{}:{line}: {what}", file.display());
            findings.push(Finding::new("config", Severity::Trouble, what));
        };
        for (line, what) in &read.bad {
            trouble(*line, what);
        }
        let mut included = Vec::new();
        for (line, name) in &read.includes {
            let path = file.parent().unwrap_or(Path::new("/")).join(name);
            match std::fs::read(&path) {
                Ok(text) => included.push((path, text)),
                Err(error) => trouble(*line, &format!("cannot read {}: {error}", path.display())),
            }
        }
        // A file that is included twice, or includes itself, says nothing new.
        included.retain(|(path, _)| !files.iter().any(|(known, _)| known == path));
        files.extend(included);
        at += 1;
    }
    if blocks.is_empty() {
        let what = format!("{}: no <acct-file> block: PMTA logs nothing", config.display());
        let fix = ["records d,b,t,tq,r,rb,rs,f".to_owned()];
        let mut finding = Finding::new("config", Severity::Trouble, what);
        finding.fix = block(&fix);
        findings.push(finding);
        return Ok(findings);
    }
    for BlockOfFile { file, block } in &blocks {
        findings.extend(of_block(file, block));
    }
    // What a program gets is in no file that could be ingested.
    blocks.retain(|found| !found.block.is_pipe());
    findings.extend(overlaps(&blocks));
    let anyone = |test: &dyn Fn(&AcctFile) -> bool| blocks.iter().any(|found| test(&found.block));
    let wants = Wants::of(catalog);
    let kept = |record: Record| {
        let mut kept: Vec<String> =
            blocks.iter().flat_map(|found| beyond(&found.block, record)).collect();
        kept.sort();
        kept.dedup();
        kept
    };
    let (sentences, lines) = wants.missing(
        |record| anyone(&|block| block.records.contains(record)),
        // What PMTA writes by default is for the store to show.
        |column| {
            let field = column.fields.first().copied().unwrap_or(column.name);
            anyone(&|block| {
                block.records.iter().any(|record| {
                    column.records.contains(record) && block.writes(record, field) != Some(false)
                })
            })
        },
        |_| false,
        kept,
    );
    let last = sentences.len().saturating_sub(1);
    for (number, sentence) in sentences.into_iter().enumerate() {
        let mut finding = Finding::new("config", Severity::Lacks, sentence);
        if number == last {
            finding.fix = block(&lines);
        }
        findings.push(finding);
    }
    Ok(findings)
}

/// Blocks that log the same records into several files.
fn overlaps(blocks: &[BlockOfFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (i, one) in blocks.iter().enumerate() {
        for other in &blocks[i + 1..] {
            let has_both = |record: &Record| other.block.records.contains(*record);
            let both: Vec<Record> = one.block.records.iter().filter(has_both).collect();
            if both.is_empty() {
                continue;
            }
            let what = format!(
                "{}:{} and {}:{}: {} and {} both log {}: ingested from both these count twice",
                one.file.display(),
                one.block.line,
                other.file.display(),
                other.block.line,
                one.block.path,
                other.block.path,
                list(&both)
            );
            let mut finding = Finding::new("config", Severity::Trouble, what);
            finding.fix = apart(&one.block, &other.block, &both);
            findings.push(finding);
        }
    }
    findings
}

/// What leaves the records of `both` types in one file alone, and nothing out that only one block logs: types, headers
/// and what is mapped from them.
fn apart(one: &AcctFile, other: &AcctFile, both: &[Record]) -> Vec<String> {
    let (one, other) = if other.records.iter().count() > one.records.iter().count() {
        (one, other)
    } else {
        (other, one)
    };
    let has_fields =
        |of: &AcctFile, less: &AcctFile| both.iter().all(|record| of.has_fields_of(less, *record));
    let pairs = [(one, other), (other, one)].into_iter().filter(|(less, of)| has_fields(of, less));
    let pairs: Vec<_> = pairs.collect();
    let is_all = |less: &AcctFile| less.records.iter().all(|record| both.contains(&record));
    if let Some((less, _)) = pairs.iter().find(|(less, _)| is_all(less)) {
        let name = Path::new(&less.path).file_stem().unwrap_or_default();
        return vec![format!("pmtaq ingest --exclude '{}-2*'", name.to_string_lossy())];
    }
    let Some((less, _)) = pairs.first() else {
        return vec![format!("let one of them log {}, with the fields of both", list(both))];
    };
    let left = less.records.iter().filter(|record| !both.contains(record));
    let left: Vec<&str> = left.map(Record::as_str).collect();
    vec![
        format!("<acct-file {}>", less.path),
        format!("    records {}", left.join(",")),
        "</acct-file>".to_owned(),
    ]
}

/// What is wrong with one block alone.
fn of_block(file: &Path, block: &AcctFile) -> Vec<Finding> {
    let place = format!("{}:{}", file.display(), block.line);
    let moved = block.move_to.as_ref().map(|to| format!(", moved to {to}")).unwrap_or_default();
    if block.is_pipe() {
        let program = block.path.trim_start_matches('|');
        let what = format!(
            "{place}: {} go to a program, and not to a file that could be ingested: {program}",
            block.records
        );
        return vec![Finding::new("config", Severity::Ok, what)];
    }
    let what = format!("{place}: {} logs {}{moved}", block.path, block.records);
    let mut findings = vec![Finding::new("config", Severity::Ok, what)];
    let nameless: Vec<Record> =
        [Record::Delivery, Record::Bounce, Record::Deferral, Record::Reception]
            .into_iter()
            .filter(|record| block.records.contains(*record))
            .filter(|record| block.writes(*record, "rcpt") == Some(false))
            .collect();
    if !nameless.is_empty() {
        let what = format!(
            "{place}: {} records without rcpt have no domain and no provider: numbers by these are not known",
            list(&nameless)
        );
        let mut finding = Finding::new("config", Severity::Trouble, what);
        finding.fix = all_fields(block, &nameless);
        findings.push(finding);
    }
    let timeless: Vec<Record> = block
        .records
        .iter()
        .filter(|record| block.writes(*record, "timeLogged") == Some(false))
        .collect();
    if !timeless.is_empty() {
        let types = list(&timeless);
        let what = format!(
            "{place}: {types} records without timeLogged have no day: ingest takes the file with \
             --time-field only"
        );
        let mut finding = Finding::new("config", Severity::Trouble, what);
        finding.fix = all_fields(block, &timeless);
        findings.push(finding);
    }
    findings
}

/// Lines that log all that PMTA writes by default of these types, and what the block has of them besides.
fn all_fields(of: &AcctFile, records: &[Record]) -> Vec<String> {
    let lines = records.iter().map(|record| line(*record, &[], beyond(of, *record)));
    block(&lines.collect::<Vec<_>>())
}

/// What a block logs of a type besides PMTA's default fields.
fn beyond(block: &AcctFile, record: Record) -> Vec<String> {
    let is_logged = block.records.contains(record);
    block.beyond_defaults(record).filter(|_| is_logged).map(str::to_owned).collect()
}

fn list<'r>(records: impl IntoIterator<Item = &'r Record>) -> String {
    let names: Vec<&str> = records.into_iter().map(|record| record.as_str()).collect();
    names.join(", ")
}
