//! `pmtaq alert`: rules over the store, and who is told. Fetches, remembers and sends; what is a
//! problem, when it is told and in which words is decided by `pmtaq_alert`.
//!
//! Reading order: a [`once`] is a run of cron: a [`round`] over all rules by what a [`observe`]r sees,
//! what is told of it by a [`story`], and the [`outbox`].

mod once;
mod past;
mod test;

mod mute;
mod rules_file;
mod state;

mod round;

mod history;
mod ingests;
mod observe;
mod probe;
mod usual;

mod command;
mod reason;
mod story;
mod words;

mod mail;
mod outbox;
mod send;

pub(crate) use ingests::remember as remember_ingest;
pub(crate) use rules_file::parse as parse_rules;

use crate::args::{self, AlertWhat};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Result;

pub(crate) fn run(context: &Context, args: &args::Alert) -> Result<Exit> {
    match &args.what {
        AlertWhat::Run(args) => once::run(context, args),
        AlertWhat::Test(args) => test::run(context, args),
        AlertWhat::Mute(args) => mute::mute(context, args),
        AlertWhat::Unmute(args) => mute::unmute(context, args),
        AlertWhat::Backfill(args) => past::backfill(context, args),
    }
}
