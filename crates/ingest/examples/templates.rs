//! How fast replies become templates, and how many these are, of the accounting files given (plain
//! CSV): `cargo run --release -p pmtaq-ingest --example templates FILES`. Never a test: it asserts
//! nothing.
#![expect(clippy::disallowed_methods, reason = "a measurement needs the clock")]
#![expect(clippy::print_stdout, reason = "its answer goes to the terminal")]

use std::collections::HashSet;
use std::error::Error;
use std::time::Instant;

use pmtaq_ingest::{Plan, Splitter};
use pmtaq_schema::columns::index_of;
use pmtaq_schema::reply::Reply;
use pmtaq_schema::template::template_of;

const ROUNDS: usize = 5;

/// The replies of a file, with the status beside each.
fn replies(content: &[u8]) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let mut lines = Splitter::new(content);
    let header = lines.next_line().ok_or("an empty file")?;
    let plan = Plan::of_header(header.raw())?;
    let [diag, status] = ["dsn_diag", "dsn_status"].map(|name| plan.sources[index_of(name)]);
    let mut replies = Vec::new();
    while let Some(line) = lines.next_line() {
        let text = |field: Option<usize>| {
            let text = field.map(|field| line.field(field).text().into_owned());
            String::from_utf8_lossy(&text.unwrap_or_default()).into_owned()
        };
        replies.push((text(diag), text(status)));
    }
    replies.retain(|(diag, status)| !diag.is_empty() || !status.is_empty());
    Ok(replies)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut all = Vec::new();
    for path in std::env::args().skip(1) {
        all.extend(replies(&std::fs::read(path)?)?);
    }
    let distinct: HashSet<&str> = all.iter().map(|(diag, _)| diag.as_str()).collect();
    let mib = all.iter().map(|(diag, _)| diag.len()).sum::<usize>() as f64 / 1_048_576.0;
    let mut template = String::new();
    let mut templates = HashSet::new();
    for (diag, status) in &all {
        template.clear();
        template_of(&Reply::parse(diag, status), status, &mut template);
        if !templates.contains(&template) {
            templates.insert(template.clone());
        }
    }
    println!("{} replies, {} of them distinct, {mib:.1} MiB", all.len(), distinct.len());
    println!("{} templates", templates.len());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for (diag, status) in &all {
            template.clear();
            template_of(&Reply::parse(diag, status), status, &mut template);
            std::hint::black_box(&template);
        }
        println!("{:.0} MiB/s on one core", mib / begun.elapsed().as_secs_f64());
    }
    Ok(())
}
