//! `pmtaq delta`: a Delta log beside the tables of the store, for engines that read tables by one.

use pmtaq_store::layout::Table;

use crate::args;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::ui;

/// Ends the logs, or keeps those of the tables that are asked for. Each commit of any command adds a
/// version to them from then on.
pub(crate) fn run(context: &Context, args: &args::Delta) -> Result<Exit> {
    let store = context.store()?.with_disk(args.faults.disk());
    let tables = if args.stop { Vec::new() } else { tables(&args.table)? };
    store.lock("pmtaq delta")?.set_delta_logs(&tables)?;
    for (table, version) in store.delta_logs()? {
        let text = format!("{}: version {version}", store.address(table));
        ui::note(&context.global, &text);
    }
    Ok(Exit::Done)
}

fn tables(names: &[String]) -> Result<Vec<Table>> {
    let table = |name: &String| {
        Table::ALL.into_iter().find(|table| table.to_string() == *name).ok_or_else(|| {
            let all = Table::ALL.map(|table| table.to_string()).join(", ");
            Failure::usage(format!("`{name}` is no table; there are {all}"))
        })
    };
    names.iter().map(table).collect()
}
