//! `pmtaq push clickhouse`: tables of ClickHouse that hold what the store holds. What is there is asked of the
//! tables themselves, so that a push which was cut short goes on, and none stores a part twice.

mod server;

use std::collections::{BTreeMap, BTreeSet};

use pmtaq_query::clickhouse::Target;
use pmtaq_schema::Window;
use pmtaq_schema::human::count;
use pmtaq_schema::time::Day;
use pmtaq_store::layout::Table;
use pmtaq_store::{SnapshotPart, fetch};

use crate::args::{self, PushWhat};
use crate::asked;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::show::print;
use crate::ui;
use server::Server;

/// By day and part, how many rows are there.
type There = BTreeMap<Day, BTreeMap<String, u64>>;

pub(crate) fn run(context: &Context, args: &args::Push) -> Result<Exit> {
    let PushWhat::Clickhouse(args) = &args.what;
    let targets = targets(args)?;
    if args.print {
        let create = |target: &Target| format!("{};\n\n", target.create());
        let all = targets.iter().map(create).collect::<String>();
        return print(context, &format!("{};\n\n{all}", targets[0].create_database()));
    }
    let server = Server::new(context, &args.url)?;
    let store = context.store()?;
    let snapshot = asked::snapshot(context, &store, Window::ALL)?;
    server.ask(&targets[0].create_database())?;
    for target in &targets {
        let parts = snapshot.of(target.table(), Window::ALL).collect::<Vec<_>>();
        push(context, args, &server, target, &parts)?;
    }
    Ok(Exit::Done)
}

fn targets(args: &args::PushClickhouse) -> Result<Vec<Target>> {
    let target = |name: &String| {
        let of = [Table::Records, Table::Hourly].into_iter().find(|of| of.to_string() == *name);
        let of = of.ok_or_else(|| {
            Failure::usage(format!("`{name}` is no table to be pushed: records, hourly"))
        })?;
        Target::new(of, &args.database, &args.prefix).map_err(Failure::usage)
    };
    args.table.iter().map(target).collect()
}

/// Makes a table hold what `parts` hold.
fn push(
    context: &Context,
    args: &args::PushClickhouse,
    server: &Server,
    target: &Target,
    parts: &[&SnapshotPart],
) -> Result<()> {
    server.ask(&target.create())?;
    server.ask(&target.widen())?;
    let mut wanted: BTreeMap<Day, Vec<&SnapshotPart>> = BTreeMap::new();
    parts.iter().for_each(|part| wanted.entry(part.day).or_default().push(part));
    let there = there(server, target)?;
    let days: BTreeSet<Day> = wanted.keys().chain(there.keys()).copied().collect();
    let (mut inserted, mut replaced, mut dropped) = (0, 0, 0);
    let nothing = BTreeMap::new();
    for day in days {
        let (parts, has) = (wanted.get(&day), there.get(&day).unwrap_or(&nothing));
        let Some(parts) = parts else {
            if !args.keep_old {
                server.ask(&target.drop_day(day))?;
                dropped += 1;
            }
            continue;
        };
        let rows = |name: &str| {
            parts.iter().find(|part| part.part.name == name).map(|part| part.part.rows)
        };
        if has.iter().all(|(name, n)| rows(name) == Some(*n)) {
            let missing = parts.iter().filter(|part| !has.contains_key(&part.part.name));
            for part in missing.filter(|part| part.part.rows > 0) {
                insert(server, target, part, false)?;
                inserted += 1;
            }
        } else {
            replace(server, target, day, parts)?;
            replaced += 1;
        }
    }
    // What was dropped there by others, and is known by its token still, is not inserted.
    for day in differing(server, target, &wanted)? {
        replace(server, target, day, &wanted[&day])?;
        replaced += 1;
    }
    if let Some(day) = differing(server, target, &wanted)?.first() {
        let what = format!("{}: {day} is not what the store has of it", target.table());
        return Err(Failure::from_text(what).hint("see that no other push runs, and run it again"));
    }
    let rows: u64 = parts.iter().map(|part| part.part.rows).sum();
    let text = format!(
        "{}: {inserted} parts inserted, {replaced} days put in place of what they were, {dropped} days \
         dropped; {} rows of the store are there",
        target.table(),
        count(rows as f64)
    );
    ui::note(&context.global, &text);
    Ok(())
}

fn there(server: &Server, target: &Target) -> Result<There> {
    let mut there = There::new();
    for line in server.ask(&target.there())?.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let read = || Some((Day::parse(fields[0])?, fields.get(1)?, fields.get(2)?.parse().ok()?));
        let (day, part, n) = read().ok_or_else(|| {
            Failure::from_text("ClickHouse answers with something else than days, parts and counts")
        })?;
        there.entry(day).or_default().insert((*part).to_owned(), n);
    }
    Ok(there)
}

fn insert(server: &Server, target: &Target, part: &SnapshotPart, is_aside: bool) -> Result<()> {
    fetch(&[part])?;
    let name = &part.part.name;
    // A store that was made anew has other parts of the same names.
    let checksum = part.part.checksum.as_deref().unwrap_or_default();
    let token = format!("{}-{}-{name}-{checksum}", target.table(), part.day);
    server.insert(&target.insert(name, is_aside), &token, &part.open()?)
}

/// Gathers a day, and puts it in place of what is there: at no moment is less of it to be seen, or more.
fn replace(server: &Server, target: &Target, day: Day, parts: &[&SnapshotPart]) -> Result<()> {
    for statement in target.gather() {
        server.ask(&statement)?;
    }
    for part in parts {
        insert(server, target, part, true)?;
    }
    let rows: u64 = parts.iter().map(|part| part.part.rows).sum();
    let gathered = server.ask(&target.gathered())?;
    if gathered.trim() != rows.to_string() {
        let what = format!("{day}: {} of {rows} rows were gathered", gathered.trim());
        return Err(Failure::from_text(what).hint("see that no other push runs, and run it again"));
    }
    for statement in target.replace(day) {
        server.ask(&statement)?;
    }
    Ok(())
}

/// The days of which the table does not hold what was wanted.
fn differing(
    server: &Server,
    target: &Target,
    wanted: &BTreeMap<Day, Vec<&SnapshotPart>>,
) -> Result<Vec<Day>> {
    let there = there(server, target)?;
    let differs = |(day, parts): &(&Day, &Vec<&SnapshotPart>)| {
        let parts = parts.iter().map(|part| (part.part.name.clone(), part.part.rows));
        let parts: BTreeMap<String, u64> = parts.filter(|(_, rows)| *rows > 0).collect();
        there.get(day).cloned().unwrap_or_default() != parts
    };
    Ok(wanted.iter().filter(differs).map(|(day, _)| *day).collect())
}
