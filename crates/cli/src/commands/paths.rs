//! `pmtaq paths`: the files that hold the records of a window, for other tools.

use pmtaq_store::layout::Table;

use crate::args;
use crate::asked;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Result;
use crate::show;

pub(crate) fn run(context: &Context, args: &args::Paths) -> Result<Exit> {
    let asked = asked::open(context, &args.times)?;
    let mut text = String::new();
    for part in asked.snapshot.of(Table::Records, asked.window) {
        text.push_str(&part.path.to_string_lossy());
        text.push('\n');
    }
    show::print(context, &text)
}
