//! What the configuration says of the cluster: the lines of the table `cluster`. Asks nobody.

use std::fmt;

use pmtaq_cluster::Address;
use pmtaq_schema::size::parse_bytes;

/// What the table `cluster` of the configuration says.
#[derive(Clone, Default)]
pub(crate) struct ClusterSettings {
    /// Where it is.
    pub(crate) url: Option<String>,
    /// Who we are; never shown.
    pub(crate) token: Option<String>,
    /// What it calls the root of the store.
    pub(crate) root: Option<String>,
    /// From how many bytes on it is asked where nobody says which.
    pub(crate) from: Option<u64>,
    /// The file of the certificates that are trusted when it is asked.
    pub(crate) ca: Option<String>,
}

impl fmt::Debug for ClusterSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ClusterSettings { url, root, from, ca, .. } = self;
        f.debug_struct("ClusterSettings")
            .field("url", url)
            .field("root", root)
            .field("from", from)
            .field("ca", ca)
            .finish()
    }
}

impl ClusterSettings {
    /// The names of its lines.
    pub(crate) const NAMES: [&str; 5] =
        ["cluster.url", "cluster.token", "cluster.root", "cluster.from", "cluster.ca"];

    /// Takes a line.
    ///
    /// # Errors
    /// What is wrong with it; never with the token in it.
    pub(crate) fn take(&mut self, name: &str, text: String) -> std::result::Result<(), String> {
        match name {
            "cluster.url" => {
                Address::parse(&text).map_err(|what| format!("`{name}`: {what}"))?;
                self.url = Some(text);
            }
            "cluster.token" => self.token = Some(text),
            "cluster.root" => self.root = Some(text),
            "cluster.from" => {
                self.from = Some(parse_bytes(&text).map_err(|what| format!("`{name}`: {what}"))?);
            }
            "cluster.ca" => self.ca = Some(text),
            _ => return Err(format!("there is no setting `{name}`")),
        }
        Ok(())
    }

    /// The lines as they are shown: a token is only said to be there.
    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let [url, token, root, from, ca] = ClusterSettings::NAMES;
        let lines = [
            (url, self.url.clone()),
            (token, self.token.as_ref().map(|_| "set".to_owned())),
            (root, self.root.clone()),
            (from, self.from.map(|bytes| format!("{bytes} bytes"))),
            (ca, self.ca.clone()),
        ];
        lines.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_shown() {
        let mut settings = ClusterSettings::default();
        settings.take("cluster.token", "hidden".to_owned()).expect("a token");
        settings.take("cluster.url", "spark://a:1".to_owned()).expect("an address");
        let shown = format!("{settings:?} {:?}", settings.shown());
        assert!(shown.contains("spark://a:1") && !shown.contains("hidden"), "{shown}");
        assert!(settings.take("cluster.url", "http://a".to_owned()).is_err());
        assert!(settings.take("cluster.from", "much".to_owned()).is_err());
        assert!(settings.take("cluster.form", String::new()).is_err());
    }
}
