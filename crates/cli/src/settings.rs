//! What the user has set once and for all: the configuration files and the folders beside them.
//! The only file that reads the environment; what a setting does is decided elsewhere.
//!
//! A value of a file becomes the default of its argument, so that the environment and the command
//! line stand above it by clap's own rules, and `--help` shows what holds here.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, CommandFactory};
use pmtaq_schema::Records;
use pmtaq_schema::bounce::{BounceClass, BounceClasses};
use pmtaq_schema::nearest::nearest;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::cluster::table::ClusterSettings;
use crate::failure::{Failure, Result};

mod site;

pub(crate) use site::{SaidDimension, SiteDimensions};

/// A setting that a file may hold.
pub(crate) struct Key {
    /// Its name in the file; `ingest.host` is `host` in the table `ingest`.
    pub(crate) name: &'static str,
    /// The argument that it is the default of.
    arg: &'static str,
    /// What holds when nobody says anything and the argument has no default.
    pub(crate) unset: &'static str,
    kind: Kind,
}

/// What a value is, beside what its argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    /// Meant from the folder of the file.
    Path,
    /// The same, and there may be a list of them.
    Paths,
    /// A list of texts.
    Texts,
}

const fn key(name: &'static str, arg: &'static str, unset: &'static str) -> Key {
    Key { name, arg, unset, kind: Kind::Plain }
}

impl Key {
    const fn of(self, kind: Kind) -> Key {
        Key { kind, ..self }
    }
}

/// All settings.
pub(crate) const KEYS: &[Key] = &[
    key("store", "store", "").of(Kind::Path),
    key("tz", "tz", ""),
    key("format", "format", "as the name of the file of -o ends, else table"),
    key("color", "color", ""),
    key("memory", "memory", "2GB for a query, 512MB for ingest"),
    key("threads", "threads", "all cores"),
    key("timeout", "timeout", "none"),
    key("on", "on", ""),
    key("spill", "spill", "none").of(Kind::Path),
    key("spill-size", "spill_size", ""),
    key("cache", "cache", "the user's folder of caches").of(Kind::Path),
    key("cache-size", "cache_size", ""),
    key("ingest.inputs", "inputs", "none").of(Kind::Paths),
    key("ingest.exclude", "exclude", "none").of(Kind::Texts),
    key("ingest.header", "header", "none: files without a header are refused"),
    key("ingest.time-field", "time_field", "none: files without timeLogged are refused"),
    key("ingest.separator", "separator", "as the header has it"),
    key("ingest.host", "host", "userString of the record, else the name of this machine"),
    key("ingest.max-rejects", "max_rejects", ""),
    key("ingest.privacy", "privacy", "as the store has it, none in a new one"),
    key("prune.keep", "keep", "everything, for ever"),
];

/// The table of the classes of bounce categories.
const CLASSES: &str = "bounce-classes";

/// What names the record types that every MTA writes.
pub(crate) const RECORDS: &str = "records";

/// The table of the dimensions of the site.
const DIMENSIONS: &str = "dimensions";

/// Where a value was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    file: PathBuf,
    line: usize,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// The files and folders that hold settings, those that win last.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// Configuration files.
    pub(crate) files: Vec<PathBuf>,
    /// Folders of `providers.csv`, `privacy.key` and `reports/`.
    pub(crate) folders: Vec<PathBuf>,
}

impl Places {
    /// Those of the machine, and those of the user where the environment says where these are.
    pub(crate) fn of_the_environment() -> Places {
        let machine = folder("PMTAQ_ETC").unwrap_or_else(|| PathBuf::from("/etc"));
        let user = folder("XDG_CONFIG_HOME").or(folder("HOME").map(|home| home.join(".config")));
        let mut places = Places {
            files: vec![machine.join("pmtaq.toml")],
            folders: vec![machine.join("pmtaq")],
        };
        if let Some(folder) = user.map(|user| user.join("pmtaq")) {
            places.files.push(folder.join("config.toml"));
            places.folders.push(folder);
        }
        places
    }

    /// The provider tables that there may be.
    pub(crate) fn provider_tables(&self) -> impl Iterator<Item = PathBuf> {
        self.folders.iter().map(|folder| folder.join("providers.csv"))
    }

    /// The files that may hold the rules of alerts, that of the user first.
    pub(crate) fn alert_rules(&self) -> impl Iterator<Item = PathBuf> {
        self.folders.iter().rev().map(|folder| folder.join("alerts.toml"))
    }

    /// The files that may hold the key of hashed recipients, that of the user first.
    pub(crate) fn privacy_keys(&self) -> impl Iterator<Item = PathBuf> {
        self.folders.iter().rev().map(|folder| folder.join("privacy.key"))
    }

    /// The files of reports that there are, by folder and name.
    ///
    /// # Errors
    /// A folder that cannot be read.
    #[expect(clippy::disallowed_methods, reason = "a folder of the user, not one of a store")]
    pub(crate) fn report_files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for folder in self.folders.iter().map(|folder| folder.join("reports")) {
            let list = match std::fs::read_dir(&folder) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                list => list.and_then(Iterator::collect::<std::io::Result<Vec<_>>>),
            };
            let list = list.map_err(|error| unreadable(&folder, &error))?;
            let mut paths: Vec<PathBuf> = list.iter().map(std::fs::DirEntry::path).collect();
            paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
            paths.sort();
            files.extend(paths);
        }
        Ok(files)
    }
}

/// What the files say.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// By index of [`KEYS`], the values with their origins; the last one holds.
    values: Vec<(usize, Vec<String>, Origin)>,
    /// The classes of bounce categories.
    pub(crate) classes: BounceClasses,
    /// Where each of them is said.
    pub(crate) class_origins: Vec<(String, BounceClass, Origin)>,
    /// The record types that every MTA writes, and where that is said.
    pub(crate) records: (Records, Option<Origin>),
    /// The dimensions of the site, each where it is said.
    pub(crate) dimensions: SiteDimensions,
    /// The cluster that may answer, and where each of its lines is said.
    pub(crate) cluster: ClusterSettings,
    pub(crate) cluster_origins: Vec<(String, Origin)>,
}

impl Settings {
    /// Reads the files that there are.
    ///
    /// # Errors
    /// [`Failure::usage`] with file and line for what is no TOML, an unknown key, or a value that
    /// `command` would not take.
    pub(crate) fn load(places: &Places, command: &Command) -> Result<Settings> {
        let mut settings = Settings::default();
        for file in &places.files {
            if let Some(text) = read(file)? {
                settings.take(file, &text, command)?;
            }
        }
        Ok(settings)
    }

    fn take(&mut self, file: &Path, text: &str, command: &Command) -> Result<()> {
        let origin = |at: usize| {
            let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
            Origin { file: file.to_owned(), line }
        };
        let table = DeTable::parse(text).map_err(|error| {
            let at = origin(error.span().map_or(0, |span| span.start));
            Failure::usage(format!("{at}: {}", error.message().replace('\n', " ")))
        })?;
        let mut entries = Vec::new();
        flatten("", table.get_ref(), &mut entries);
        for (name, at, value) in entries {
            let origin = origin(at);
            let wrong = |what: String| Failure::usage(format!("{origin}: {what}"));
            if let Some(category) = name.strip_prefix(CLASSES).and_then(|n| n.strip_prefix('.')) {
                let text = text_of(&name, value.get_ref()).map_err(wrong)?;
                let class = BounceClass::parse(&text).ok_or_else(|| {
                    let classes = BounceClass::ALL.map(BounceClass::as_str).join(", ");
                    wrong(format!(
                        "the class of `{category}` is `{text}` and must be one of {classes}"
                    ))
                })?;
                self.classes.set(category, class);
                self.class_origins.push((category.to_owned(), class, origin));
                continue;
            }
            if let Some(key) = name.strip_prefix(DIMENSIONS).and_then(|n| n.strip_prefix('.')) {
                let text = text_of(&name, value.get_ref()).map_err(wrong)?;
                self.dimensions.take(key, text, origin.clone()).map_err(wrong)?;
                continue;
            }
            if name == RECORDS {
                let text = text_of(&name, value.get_ref()).map_err(wrong)?;
                let records = Records::parse(&text).map_err(|unknown| {
                    wrong(format!(
                        "`{RECORDS}`: `{unknown}` is not a record type; {}",
                        Records::ALL
                    ))
                })?;
                self.records = (records, Some(origin));
                continue;
            }
            if ClusterSettings::NAMES.contains(&name.as_str()) {
                let text = text_of(&name, value.get_ref()).map_err(wrong)?;
                self.cluster.take(&name, text).map_err(wrong)?;
                self.cluster_origins.push((name, origin.clone()));
                continue;
            }
            let index = KEYS.iter().position(|key| key.name == name).ok_or_else(|| {
                let hint =
                    nearest(&name, known_names()).map(|name| format!("; did you mean `{name}`?"));
                wrong(format!("there is no setting `{name}`{}", hint.unwrap_or_default()))
            })?;
            let key = &KEYS[index];
            let texts = match value.get_ref() {
                DeValue::Array(values) if matches!(key.kind, Kind::Paths | Kind::Texts) => {
                    values.iter().map(|value| text_of(&name, value.get_ref())).collect()
                }
                value => text_of(&name, value).map(|text| vec![text]),
            };
            let set = |text: String| {
                let is_path = matches!(key.kind, Kind::Path | Kind::Paths);
                let text = if is_path { path(file, text)? } else { text };
                key.check(&text, command).map(|()| text)
            };
            let texts = texts.and_then(|texts| texts.into_iter().map(set).collect());
            self.values.push((index, texts.map_err(wrong)?, origin));
        }
        Ok(())
    }

    /// `command` with the values as the defaults of its arguments.
    pub(crate) fn apply(&self, command: Command) -> Command {
        self.values.iter().fold(command, |command, (index, values, _)| {
            let set = |command: Command| {
                let set = |arg: Arg| arg.required(false).default_values(values);
                command.mut_arg(KEYS[*index].arg, set)
            };
            match KEYS[*index].name.split_once('.') {
                Some((name, _)) => command.mut_subcommand(name, set),
                None => set(command),
            }
        })
    }

    /// The value of a setting and what set it. `matches` are those of the command that has it.
    pub(crate) fn value_and_origin(
        &self,
        index: usize,
        matches: &ArgMatches,
        command: &Command,
    ) -> (String, String) {
        use clap::parser::ValueSource;
        let key = &KEYS[index];
        let values: Vec<_> = matches.get_raw(key.arg).into_iter().flatten().collect();
        let shown = match values.as_slice() {
            [] => key.unset.to_owned(),
            values => values.join(OsStr::new(", ")).to_string_lossy().into_owned(),
        };
        let arg = key.find(command);
        let origin = match matches.value_source(key.arg) {
            Some(ValueSource::CommandLine) => {
                arg.and_then(Arg::get_long).map(|long| format!("--{long}"))
            }
            Some(ValueSource::EnvVariable) => {
                arg.and_then(Arg::get_env).map(|name| name.to_string_lossy().into_owned())
            }
            _ => {
                let last = self.values.iter().rev().find(|(known, ..)| *known == index);
                last.map(|(_, _, origin)| origin.to_string())
            }
        };
        (shown, origin.unwrap_or_else(|| "default".to_owned()))
    }
}

impl Key {
    /// The command that it is a setting of; none for all of them.
    pub(crate) fn command(&self) -> Option<&'static str> {
        self.name.split_once('.').map(|(command, _)| command)
    }

    fn find<'c>(&self, command: &'c Command) -> Option<&'c Arg> {
        let command = match self.command() {
            Some(name) => command.find_subcommand(name)?,
            None => command,
        };
        command.get_arguments().find(|arg| arg.get_id() == self.arg)
    }

    /// Whether the argument takes `text`.
    fn check(&self, text: &str, command: &Command) -> std::result::Result<(), String> {
        let arg = self.find(command).expect("a test looks every key up").clone();
        let line = match arg.get_long() {
            Some(long) => vec![format!("--{long}={text}")],
            None => vec!["--".to_owned(), text.to_owned()],
        };
        let alone = Command::new("pmtaq").no_binary_name(true).arg(arg);
        let error = match alone.try_get_matches_from(line) {
            Ok(_) => return Ok(()),
            Err(error) => error.to_string(),
        };
        let what = error.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        Err(format!("`{}`: {}", self.name, what.split_whitespace().collect::<Vec<_>>().join(" ")))
    }
}

/// The name of the file of classes that the machines of a store may share.
pub(crate) const SHARED: &str = "pmtaq.toml";

/// Adds the classes of bounce categories that a folder of settings has which machines share.
///
/// # Errors
/// [`Failure::usage`] with file and line, also for any other setting: a machine has its own.
pub(crate) fn shared_classes(folder: &Path, classes: &mut BounceClasses) -> Result<()> {
    let path = folder.join(SHARED);
    let Some(text) = read(&path)? else { return Ok(()) };
    let mut settings = Settings::default();
    settings.take(&path, &text, &crate::args::Cli::command())?;
    let others = settings.values.first().map(|(.., origin)| origin);
    if let Some(origin) = others.or(settings.dimensions.iter().next().map(|said| &said.origin)) {
        let what = format!("{origin}: only [{CLASSES}] can hold for all machines of a store");
        return Err(Failure::usage(what));
    }
    settings.class_origins.iter().for_each(|(category, class, _)| classes.set(category, *class));
    Ok(())
}

/// The folder of the user for what a program remembers; none without a home.
pub(crate) fn state_folder() -> Option<PathBuf> {
    let states = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(states.join("pmtaq"))
}

/// The folder of the user for what a program can do without; none without a home.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let caches = folder("XDG_CACHE_HOME").or_else(|| Some(home()?.join(".cache")))?;
    Some(caches.join("pmtaq"))
}

/// The folder of the user.
pub(crate) fn home() -> Option<PathBuf> {
    folder("HOME")
}

/// Whether the user wants no colours, or has a terminal without.
pub(crate) fn is_colorless() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || is_dumb_terminal()
}

/// Whether the terminal cannot move its cursor.
pub(crate) fn is_dumb_terminal() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// A folder that a variable names by its full path.
fn folder(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The value of a variable; none when it is unset or no text.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).and_then(|value| value.into_string().ok())
}

/// The text of a file of the user; none when there is no such file.
///
/// # Errors
/// [`Failure::usage`] that names the file.
pub(crate) fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("cannot read {}: {error}", path.display()))
}

/// What a file may say at the top and in its tables.
fn known_names() -> impl Iterator<Item = &'static str> {
    let tables = [CLASSES, DIMENSIONS, RECORDS];
    KEYS.iter().map(|key| key.name).chain(tables).chain(ClusterSettings::NAMES)
}

/// The values of a table by their dotted names, each with the place of its key.
fn flatten<'t, 'i>(
    prefix: &str,
    table: &'t DeTable<'i>,
    entries: &mut Vec<(String, usize, &'t Spanned<DeValue<'i>>)>,
) {
    for (key, value) in table {
        let name = format!("{prefix}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(table) => flatten(&format!("{name}."), table, entries),
            _ => entries.push((name, key.span().start, value)),
        }
    }
}

/// The value of the setting `name` as an argument would have it.
fn text_of(name: &str, value: &DeValue<'_>) -> std::result::Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Boolean(truth) => Ok(truth.to_string()),
        _ => Err(format!("`{name}` must be a text, a number or true or false")),
    }
}

/// A path in a file is meant from where the file is, since a process of cron is anywhere.
fn path(file: &Path, text: String) -> std::result::Result<String, String> {
    // An address of a bucket is no path.
    if text.contains("://") {
        return Ok(text);
    }
    if text.starts_with('~') {
        return Err(format!("`{text}`: no shell reads this file; write the path in full"));
    }
    let folder = file.parent().unwrap_or(Path::new("/"));
    Ok(folder.join(text).to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> std::result::Result<Settings, String> {
        let mut settings = Settings::default();
        let command = crate::args::Cli::command();
        let taken = settings.take(Path::new("/etc/pmtaq.toml"), text, &command);
        taken.map(|()| settings).map_err(|failure| failure.text())
    }

    #[test]
    fn every_key_is_the_default_of_an_argument() {
        let command = crate::args::Cli::command();
        for key in KEYS {
            let arg = key.find(&command).unwrap_or_else(|| panic!("{}", key.name));
            assert!(arg.get_env().is_some(), "{} has no PMTAQ_ variable", key.name);
        }
    }

    #[test]
    fn a_wrong_line_is_named_with_what_was_probably_meant() {
        for (text, expected) in [
            ("tz = 'UTC'\nstoer = 'x'\n", ":2: there is no setting `stoer`; did you mean `store`?"),
            (
                "[ingest]\nhots = 'x'\n",
                ":2: there is no setting `ingest.hots`; did you mean `ingest.host`?",
            ),
            ("\n\ntz = 'Mars/Olympus'\n", ":3: `tz`: invalid value 'Mars/Olympus'"),
            ("threads = 0\n", ":1: `threads`: invalid value '0'"),
            ("threads = [1]\n", ":1: `threads` must be a text"),
            ("[ingest]\ninputs = ['/x', 1.5]\n", ":2: `ingest.inputs` must be a text"),
            ("store = '~/x'\n", ":1: `~/x`: no shell reads this file"),
            ("[bounce-classes]\nours = 'hardest'\n", ":2: the class of `ours` is `hardest`"),
            ("tz = \n", ":1: "),
            ("tz = 'UTC'\ntz = 'UTC'\n", ":2: duplicate key"),
        ] {
            let error = load(text).expect_err(text);
            assert!(error.contains(&format!("/etc/pmtaq.toml{expected}")), "{error}");
        }
    }

    #[test]
    fn a_later_file_wins_and_a_path_is_meant_from_its_file() {
        let settings =
            load("store = 'data'\n[bounce-classes]\nours = 'block'\n").expect("settings");
        assert_eq!(settings.values[0].1, ["/etc/data"]);
        assert_eq!(settings.classes.own().collect::<Vec<_>>(), [("ours", BounceClass::Block)]);
        let settings = load("[ingest]\ninputs = ['/log', 'x/*.gz']\n").expect("settings");
        assert_eq!(settings.values[0].1, ["/log", "/etc/x/*.gz"]);
    }

    #[test]
    fn the_example_holds_every_setting() {
        let example = include_str!("../../../packaging/pmtaq.toml");
        let lines = example.lines().filter(|line| !line.starts_with("# "));
        let active: String =
            lines.map(|line| format!("{}\n", line.trim_start_matches('#'))).collect();
        let told = load(example).expect("what holds where it is installed").values;
        let told: Vec<_> = told.iter().map(|(index, ..)| KEYS[*index].name).collect();
        assert_eq!(told, ["ingest.inputs", "store"]);
        let settings = load(&active).expect("what it would be without its comment signs");
        let held: Vec<usize> = settings.values.iter().map(|(index, ..)| *index).collect();
        let missing = (0..KEYS.len()).find(|index| !held.contains(index));
        assert_eq!(missing.map(|index| KEYS[index].name), None);
        assert!(settings.classes.own().count() > 0);
    }
}
