//! How the recipients of a store are spelt: its mode, and the key of tokens.
//! Reads the file of the key and tells it to nobody.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pmtaq_ingest::{MIN_KEY, Privacy};
use pmtaq_store::{Recipients, Store, Writer};

use crate::args::PrivacyMode;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::settings::read;

/// What an ingest is to do, which the store holds to from then on.
///
/// # Errors
/// A store that keeps recipients otherwise; no key.
pub(crate) fn of_ingest(
    context: &Context,
    writer: &mut Writer<'_>,
    mode: Option<PrivacyMode>,
) -> Result<Privacy> {
    let mode = mode.unwrap_or(match writer.recipients() {
        Recipients::Plain => PrivacyMode::None,
        Recipients::Hashed { .. } => PrivacyMode::Hash,
        Recipients::Masked => PrivacyMode::Mask,
    });
    let privacy = match mode {
        PrivacyMode::None => Privacy::Plain,
        PrivacyMode::Hash => keyed(context)?,
        PrivacyMode::Mask => Privacy::Mask,
    };
    writer.keep_recipients(privacy.recipients())?;
    Ok(privacy)
}

/// How an address that a user names is spelt in the store. The key is asked for only when there is
/// one, so that all that names no address needs none.
///
/// # Errors
/// No key, or another one.
pub(crate) fn of_store(context: &Context, store: &Store) -> Result<Privacy> {
    let recipients = store.recipients()?;
    let privacy = match recipients {
        Recipients::Plain => Privacy::Plain,
        Recipients::Hashed { .. } => keyed(context)?,
        Recipients::Masked => Privacy::Mask,
    };
    if privacy.recipients() != recipients {
        let (here, wanted) = (recipients, privacy.recipients());
        return Err(Failure::usage(format!("the store has recipients {here}, not {wanted}"))
            .hint("privacy.key must be the one that the store was begun with"));
    }
    Ok(privacy)
}

fn keyed(context: &Context) -> Result<Privacy> {
    let places: Vec<_> = context.places.privacy_keys().collect();
    for path in &places {
        let Some(text) = read(path)? else { continue };
        check_mode(path)?;
        let short = || {
            let what =
                format!("{} is not a key: shorter than {MIN_KEY} characters", path.display());
            Failure::usage(what).hint(make(path))
        };
        return Privacy::with_key(text.trim().as_bytes()).ok_or_else(short);
    }
    let list: Vec<String> = places.iter().map(|path| path.display().to_string()).collect();
    let failure =
        Failure::usage(format!("hashed recipients need a key: no {}", list.join(", no ")));
    Err(failure.hint(make(&places[places.len() - 1])))
}

fn make(path: &Path) -> String {
    let path = path.display();
    format!("`(umask 077; head -c 32 /dev/urandom | base64 > {path})` makes one; keep a copy of it")
}

/// A key that everyone on the machine can read is none.
fn check_mode(path: &Path) -> Result<()> {
    open_to_all(path).map_or(Ok(()), |wrong| {
        Err(Failure::usage(wrong).hint(format!("`chmod o= {}`", path.display())))
    })
}

/// Says of a file with a secret that everyone on the machine can read it, if that is so.
pub(crate) fn open_to_all(path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o007 != 0).then(|| format!("{} can be read by everyone", path.display()))
}
