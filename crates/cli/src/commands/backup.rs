//! `pmtaq backup`: what the store holds now, as a store in another folder.

use pmtaq_schema::human;

use crate::args::Backup;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Result;
use crate::ui;

pub(crate) fn run(context: &Context, args: &Backup) -> Result<Exit> {
    let store = context.store()?;
    let done = store.back_up(&args.dir, !args.copy)?;
    let (records, parts, bytes) = (done.records, done.parts, human::size(done.bytes));
    let links = match done.links {
        0 => "copied".to_owned(),
        links => format!("{links} files of them linked"),
    };
    let dir = args.dir.display();
    let generation = done.generation;
    ui::note(
        &context.global,
        &format!(
            "{dir}: {records} records in {parts} parts, {bytes}, {links}; generation {generation}"
        ),
    );
    Ok(Exit::Done)
}
