//! What a shell is told when Tab is pressed: the candidates for the word at the cursor, by clap's own engine
//! over the command line that this machine has. Says nothing else: what fails offers nothing.

mod typed;
mod values;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Command;
use clap_complete::CompletionCandidate;
use pmtaq_render::words::visible;

use crate::args::{self, Shell};
use crate::exit::Exit;
use crate::settings::{Places, Settings};
use crate::{own, ui};

use typed::Typed;

/// The variable by which a script asks; its value is the shell.
pub(crate) const VARIABLE: &str = "PMTAQ_COMPLETE";

/// What teaches a shell to ask.
pub(crate) fn script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("pmtaq.bash"),
        Shell::Zsh => include_str!("pmtaq.zsh"),
        Shell::Fish => include_str!("pmtaq.fish"),
    }
}

/// Answers a script: `args` are the program, `--`, and what the shell knows of the line.
pub(crate) fn run(shell: &str, args: Vec<OsString>) -> Exit {
    let args = args.into_iter().skip_while(|arg| arg != "--").skip(1);
    let args: Option<Vec<String>> = args.map(|arg| arg.into_string().ok()).collect();
    let text = args.and_then(|args| answer(shell, &args)).unwrap_or_default();
    ui::offer(&text);
    Exit::Done
}

fn answer(shell: &str, args: &[String]) -> Option<String> {
    let mut text = String::new();
    match shell {
        // The line up to the cursor, and the part of its last word that bash will replace.
        "bash" => {
            let [line, replaced] = args else { return None };
            let typed = Typed::line(line);
            for candidate in offered(typed.words())? {
                if let Some(rest) = typed.rest(replaced, &value(&candidate)?) {
                    let _ = writeln!(text, "{rest}");
                }
            }
        }
        // The words as they stand in the line.
        "zsh" => {
            for candidate in offered(args.iter().map(|word| Typed::word(word)).collect())? {
                text.push_str(&value(&candidate)?.replace('\\', "\\\\").replace(':', "\\:"));
                if let Some(help) = help(&candidate) {
                    let _ = write!(text, ":{}", help.replace('\\', "\\\\"));
                }
                text.push('\n');
            }
        }
        // The words before the last as they are meant, and that as it stands in the line.
        "fish" => {
            let (last, words) = args.split_last()?;
            let words = words.iter().cloned().chain([Typed::word(last)]).collect();
            for candidate in offered(words)? {
                let help = help(&candidate).map(|help| format!("\t{help}")).unwrap_or_default();
                let _ = writeln!(text, "{}{help}", value(&candidate)?);
            }
        }
        _ => return None,
    }
    Some(text)
}

fn value(candidate: &CompletionCandidate) -> Option<String> {
    candidate.get_value().to_str().map(str::to_owned)
}

/// The first line of what a candidate means.
fn help(candidate: &CompletionCandidate) -> Option<String> {
    let help = candidate.get_help()?.to_string();
    help.lines().next().map(visible).filter(|line| !line.is_empty())
}

/// The candidates for the last of `words`, the first of which is the program. What cannot be typed is none.
fn offered(words: Vec<String>) -> Option<Vec<CompletionCandidate>> {
    let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    let last = words.len().checked_sub(1)?;
    let places = Places::of_the_environment();
    let (catalog, _) = own::catalog(&places).ok()?;
    let command = args::command(&catalog);
    let command = match Settings::load(&places, &command) {
        Ok(settings) => settings.apply(command),
        Err(_) => command,
    };
    let store = store(&command, &words[..last]);
    let mut command = values::of_arguments(command, &store);
    let folder = std::env::current_dir().ok();
    let all = clap_complete::engine::complete(&mut command, words, last, folder.as_deref()).ok()?;
    let can_be_typed = |candidate: &CompletionCandidate| {
        value(candidate).is_some_and(|value| visible(&value) == value)
    };
    Some(all.into_iter().filter(can_be_typed).collect())
}

/// The store that the words before the cursor mean, or the environment, or the settings.
fn store(command: &Command, words: &[OsString]) -> PathBuf {
    let lenient = command.clone().ignore_errors(true);
    let matches = lenient.try_get_matches_from(words).ok();
    matches.and_then(|matches| matches.get_one::<PathBuf>("store").cloned()).unwrap_or_default()
}
