//! zstd as each kind of page needs it. Knows bytes only.

use std::path::Path;

use parquet::basic::Encoding;
use parquet::errors::ParquetError;
use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, ParamSwitch, Strategy};

use super::header::PageKind;
use crate::error::At;
use crate::table::zstd_level;

/// Letters are coded by their frequency in all pages.
const LITERALS: CParameter = CParameter::LiteralCompressionMode(ParamSwitch::Enable);

/// Keys stand in whole bytes, so that a few of them that come again are a match of four bytes.
const KEYS: [CParameter; 5] = [
    CParameter::HashLog(16),
    CParameter::MinMatch(4),
    CParameter::WindowLog(19),
    CParameter::TargetLength(1),
    LITERALS,
];

/// Texts that hardly repeat are most of the bytes. Of one message there are two or more records, and
/// what they share stands further apart than what keys do: a larger table remembers it for longer, over all
/// of a page. Looked at every third position: that pays for the table, and loses less than it gains.
const TEXTS: [CParameter; 5] = [
    CParameter::HashLog(16),
    CParameter::MinMatch(7),
    CParameter::WindowLog(20),
    CParameter::TargetLength(2),
    LITERALS,
];

/// Names that come once each and are alike: two tables find short matches and long ones. There is one
/// such page for all rows of a row group.
const DICTIONARY: [CParameter; 6] = [
    CParameter::Strategy(Strategy::ZSTD_dfast),
    CParameter::HashLog(16),
    CParameter::ChainLog(16),
    CParameter::MinMatch(5),
    CParameter::WindowLog(20),
    LITERALS,
];

/// A compressor for each kind of page.
pub(super) struct Compressors {
    keys: Compressor<'static>,
    texts: Compressor<'static>,
    dictionary: Compressor<'static>,
}

impl Compressors {
    pub(super) fn new() -> crate::Result<Compressors> {
        Ok(Compressors {
            keys: compressor(&KEYS)?,
            texts: compressor(&TEXTS)?,
            dictionary: compressor(&DICTIONARY)?,
        })
    }

    /// The compressor of a page.
    pub(super) fn of(&mut self, page: PageKind) -> &mut Compressor<'static> {
        match page {
            PageKind::Data { encoding: Encoding::DELTA_LENGTH_BYTE_ARRAY, .. } => &mut self.texts,
            PageKind::Data { .. } => &mut self.keys,
            PageKind::Dictionary { .. } => &mut self.dictionary,
        }
    }
}

fn compressor(parameters: &[CParameter]) -> crate::Result<Compressor<'static>> {
    let zstd = Compressor::new(zstd_level().compression_level()).and_then(|mut zstd| {
        parameters.iter().try_for_each(|&parameter| zstd.set_parameter(parameter))?;
        Ok(zstd)
    });
    zstd.map_err(ParquetError::from).at(Path::new("zstd"))
}
