//! Where a store in a bucket is and who asks for it, by the variables and files of Amazon's own tools.
//! Keys are handed on and never shown.

mod login;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pmtaq_bucket::{Access, Address, Bucket};

use crate::failure::{Failure, Result};
use crate::settings::{self, variable};
use crate::trust;

/// The bucket that `--store` names; none when it names a folder.
///
/// # Errors
/// [`Failure::usage`] for another scheme, a wrong address, and settings that are incomplete.
pub(crate) fn named(store: &Path) -> Result<Option<Bucket>> {
    let text = store.to_string_lossy();
    let Some(address) = Address::parse(&text) else {
        return refuse_scheme(&text).map(|()| None);
    };
    let address = address.map_err(|what| Failure::usage(format!("--store `{text}`: {what}")))?;
    let profile = Profile::read()?;
    let first = |names: &[&str], key: &str| {
        let set =
            names.iter().find_map(|name| variable(name).filter(|text| !text.trim().is_empty()));
        set.or_else(|| profile.get(key))
    };
    let region = first(&["AWS_REGION", "AWS_DEFAULT_REGION"], "region");
    let region = region.unwrap_or_else(|| "us-east-1".to_owned());
    let access = Access {
        endpoint: first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"], "endpoint_url"),
        login: login::login(&profile, &region)?,
        region,
        roots: trust::roots(variable("AWS_CA_BUNDLE").as_deref()).map_err(Failure::usage)?,
    };
    Ok(Some(Bucket::new(address, access).map_err(pmtaq_store::Error::from)?))
}

/// The folder in which what is fetched lies.
///
/// # Errors
/// [`Failure::usage`] where neither an argument nor a home says one.
pub(crate) fn cache(named: Option<&Path>) -> Result<PathBuf> {
    named.map(Path::to_owned).or_else(settings::cache_folder).ok_or_else(|| {
        Failure::usage(
            "a store in a bucket needs a folder for what is fetched of it, and there is no home",
        )
        .hint("name one with --cache DIR or PMTAQ_CACHE")
    })
}

/// A folder called `gs:` is not what was meant.
fn refuse_scheme(text: &str) -> Result<()> {
    let Some((scheme, _)) = text.split_once("://") else { return Ok(()) };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c));
    if !is_scheme {
        return Ok(());
    }
    let what = format!(
        "--store `{text}`: a store is a folder of this machine or an s3:// address, not a {scheme}:// one"
    );
    Err(Failure::usage(what)
        .hint("`pmtaq backup DIR` makes a folder that other tools can send anywhere"))
}

/// What the files say of the profile that is chosen; the credentials win over the configuration.
#[derive(Default)]
struct Profile(HashMap<String, String>);

impl Profile {
    fn read() -> Result<Profile> {
        let chosen = variable("AWS_PROFILE").filter(|name| !name.is_empty());
        let (profile, is_known) = Profile::named(chosen.as_deref().unwrap_or("default"))?;
        match chosen.filter(|_| !is_known) {
            None => Ok(profile),
            Some(name) => {
                Err(Failure::usage(format!("no file has the profile `{name}` of AWS_PROFILE")))
            }
        }
    }

    /// The profile of this name, and whether any file has it.
    fn named(name: &str) -> Result<(Profile, bool)> {
        let file = |variable_name: &str, own: &str| {
            let named = variable(variable_name).map(PathBuf::from);
            named.or_else(|| Some(settings::home()?.join(".aws").join(own)))
        };
        let mut profile = Profile::default();
        let config = file("AWS_CONFIG_FILE", "config");
        let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let mut is_known = false;
        for path in [config, credentials].into_iter().flatten() {
            let text = settings::read(&path)?.unwrap_or_default();
            is_known |= profile.extend(&text, name);
        }
        Ok((profile, is_known))
    }

    /// Adds what a text says of the profile `name`; whether it knows it.
    fn extend(&mut self, text: &str, name: &str) -> bool {
        let (mut is_here, mut is_known) = (false, false);
        for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])) {
            if let Some(section) = line.trim().strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                let section = section.trim();
                is_here = section.strip_prefix("profile ").unwrap_or(section).trim() == name;
                is_known |= is_here;
            } else if let Some((key, value)) = line.split_once('=')
                // What is indented belongs to the key above it.
                && is_here && !line.starts_with([' ', '\t'])
            {
                self.0.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
            }
        }
        is_known
    }

    fn get(&self, key: &str) -> Option<String> {
        self.0.get(key).filter(|value| !value.is_empty()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_from_both_files() {
        let mut profile = Profile::default();
        let config = "[default]\nregion = us-east-1\n[profile mail]\nregion=eu-west-1\ns3 =\n  region = no\n";
        assert!(profile.extend(config, "mail"));
        let keys = "# ours\n[default]\naws_access_key_id = D\n[mail]\naws_access_key_id = A\n\
                    aws_secret_access_key = a=b/c\n";
        assert!(profile.extend(keys, "mail"));
        let of = |key| profile.get(key).unwrap_or_default();
        assert_eq!([of("region"), of("aws_access_key_id")], ["eu-west-1", "A"]);
        assert_eq!(of("aws_secret_access_key"), "a=b/c");
        assert!(!Profile::default().extend(keys, "other"));
    }
}
