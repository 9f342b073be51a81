//! The forms in which accounting records come beside the CSV that PMTA writes: what other tools make
//! of it. Each becomes that CSV while it is read, so that nothing behind knows of it.

mod convert;
mod first;
mod foreign;
mod json;
mod separated;
mod sight;
mod utf16;

pub(crate) use first::Given;
pub(crate) use sight::{header_of, sight};

use std::io::Read;

use convert::Converted;
use json::JsonLines;
use separated::Separated;
use utf16::{Endian, Utf16};

/// The form of a content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// In UTF-16, else in UTF-8.
    utf16: Option<Endian>,
    layout: Layout,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Layout {
    /// As PMTA writes it.
    #[default]
    Csv,
    /// Fields that something else separates, or that have spaces around, or of which the type is not the
    /// first.
    Separated { by: u8, kind: usize },
    /// A JSON object a line.
    JsonLines,
}

impl Form {
    /// Whether headers are made here, and stand on no line of the file.
    pub(crate) fn makes_headers(self) -> bool {
        self.layout == Layout::JsonLines
    }

    /// A content of this form as CSV in UTF-8.
    pub(crate) fn read(self, content: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        let content = match self.utf16 {
            None => content,
            Some(endian) => Box::new(Converted::new(content, Utf16::new(endian))),
        };
        match self.layout {
            Layout::Csv => content,
            Layout::Separated { by, kind } => {
                Box::new(Converted::new(content, Separated::new(by, kind)))
            }
            Layout::JsonLines => Box::new(Converted::new(content, JsonLines::default())),
        }
    }
}
