//! `pmtaq config share`: settings of a store in a bucket, for all machines that use it. Each file is read as
//! it would be where it holds before any is shared.

use std::path::Path;

use pmtaq_schema::bounce::BounceClasses;
use pmtaq_schema::provider::Providers;
use pmtaq_store::Change;

use crate::args::ConfigShare;
use crate::commands::alert::parse_rules;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::provider_tables::extend_providers;
use crate::{settings, ui};

pub(super) fn run(context: &Context, args: &ConfigShare) -> Result<Exit> {
    let files = args.files.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    let store = context.store()?;
    if !store.is_remote() {
        let what = "only machines that use a store in a bucket share settings by it";
        let hint = "for a store in a folder they lie where `pmtaq config path` says";
        return Err(Failure::usage(what).hint(hint));
    }
    let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    let change = Change { settings: Some(files), ..Change::default() };
    store.lock(&context.owner())?.commit(change)?;
    let text = match names.as_slice() {
        [] => "no settings are shared".to_owned(),
        names => format!("all machines have {} from now on", names.join(", ")),
    };
    ui::note(&context.global, &text);
    Ok(Exit::Done)
}

/// The name and the bytes of a file that may be shared.
fn read(path: &Path) -> Result<(String, Vec<u8>)> {
    let text = settings::read(path)?
        .ok_or_else(|| Failure::usage(format!("there is no file {}", path.display())))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    match name.as_str() {
        "providers.csv" => extend_providers(&mut Providers::builtin(), path, &text).map(drop)?,
        "alerts.toml" => parse_rules(path, &text).map(drop)?,
        settings::SHARED => {
            let folder = path.parent().unwrap_or(Path::new(""));
            settings::shared_classes(folder, &mut BounceClasses::default())?;
        }
        _ => {
            let what = format!(
                "{} has none of the names by which settings are shared: providers.csv, alerts.toml, {}",
                path.display(),
                settings::SHARED
            );
            return Err(Failure::usage(what));
        }
    }
    Ok((name, text.into_bytes()))
}
