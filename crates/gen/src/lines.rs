//! Records as lines, made by all cores. Knows no file.

use rayon::prelude::*;

use crate::files::AcctStream;
use crate::message::Event;
use crate::row::Writer;
use crate::world::World;

/// Records that one core takes at a time.
const RECORDS: usize = 2048;

/// Lines one behind the other.
#[derive(Default)]
pub(crate) struct Lines {
    bytes: Vec<u8>,
    /// For each line the stream that takes it, and where it ends.
    ends: Vec<(u16, usize)>,
}

/// The line of each event, in order, with the number of the stream that takes it.
pub(crate) fn of<'w>(
    events: &[Event],
    streams: &[AcctStream],
    world: &World,
    writer: impl Fn() -> Writer<'w> + Sync,
) -> Vec<Lines> {
    let lines = |events: &[Event]| {
        let mut lines = Lines::default();
        let mut writer = writer();
        for event in events {
            let host = world.vmtas[usize::from(event.message.vmta)].host;
            // Each record type of a host goes to one stream.
            let Some(stream) = streams.iter().position(|stream| stream.takes(host, event.rec))
            else {
                continue;
            };
            writer.line(event, streams[stream].columns(), &mut lines.bytes);
            lines.ends.push((stream as u16, lines.bytes.len()));
        }
        lines
    };
    events.par_chunks(RECORDS).map(lines).collect()
}

impl<'l> IntoIterator for &'l Lines {
    type Item = (usize, &'l [u8]);
    type IntoIter = Box<dyn Iterator<Item = Self::Item> + 'l>;

    fn into_iter(self) -> Self::IntoIter {
        let mut begin = 0;
        Box::new(self.ends.iter().map(move |&(stream, end)| {
            let line = &self.bytes[begin..end];
            begin = end;
            (usize::from(stream), line)
        }))
    }
}
