//! The interactive shell of `pmtaq sql`: lines in, answers out, until `.quit`. Edits lines,
//! completes words, keeps the history; knows no SQL but where a statement ends.

use std::borrow::Cow;
use std::path::PathBuf;

use pmtaq_query::{DIMENSIONS, is_complete, metrics, prelude, sql_type};
use pmtaq_render::Format;
use pmtaq_schema::columns::{DATE, HOURLY, REJECTS};
use pmtaq_schema::{COLUMNS, Column};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Behavior, Config, Editor, Helper};

use super::lists;
use super::sql::{self, Manner};
use crate::args::Times;
use crate::asked::{self, Asked};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::{settings, ui};

const HELP: &[[&str; 2]] = &[
    ["SELECT ...;", "run a statement; it may have several lines, and ends with a semicolon"],
    [".tables", "list the tables and views"],
    [".schema [TABLE]", "list the columns of a table"],
    [".metrics", "list the metrics, which statements call as name()"],
    [".dimensions", "list the dimensions"],
    [".format [NAME]", "show or set the output format"],
    [".limit [N]", "show or set how many rows are shown, 0 for all"],
    [".help", "this list"],
    [".quit", "leave, as Ctrl-D does"],
];

/// Words of SQL that are worth completing.
const KEYWORDS: &[&str] = &[
    "select",
    "from",
    "where",
    "group by",
    "order by",
    "limit",
    "having",
    "distinct",
    "between",
    "count(*)",
    "with",
    "join",
    "using",
    "like",
    "glob",
    "is null",
    "is not null",
    "interval",
    "filter",
    "explain",
    "describe",
    "summarize",
];

/// One open shell.
struct Shell<'f> {
    context: Context,
    times: &'f Times,
    files: &'f [PathBuf],
    manner: Manner,
    asked: Asked,
}

pub(crate) fn run(
    context: Context,
    times: &Times,
    files: &[PathBuf],
    manner: Manner,
) -> Result<Exit> {
    if context.global.output.is_some() {
        return Err(Failure::usage("--output is the file of one answer, and a shell gives many"));
    }
    let asked = asked::open_with(&context, times, files)?;
    ui::enter_shell();
    asked::say_window(&context, &asked.snapshot, asked.window);
    ui::note(&context.global, "a statement ends with a semicolon; .help shows what else there is");
    let mut shell = Shell { context, times, files, manner, asked };

    let failed = |error: ReadlineError| Failure::failed(&error);
    // The prompt belongs to the terminal, even where stdout is a file.
    let config = Config::builder().behavior(Behavior::PreferTerm).auto_add_history(true);
    let mut editor: Editor<Words, FileHistory> =
        Editor::with_config(config.build()).map_err(failed)?;
    editor.set_helper(Some(Words::new()));
    let history = history_file();
    if let Some(file) = &history {
        // A first start has none.
        let _ = editor.load_history(file);
    }
    loop {
        match editor.readline("pmtaq> ") {
            Ok(line) => {
                if let Some(file) = &history {
                    // A full disk takes the history of a statement, not its answer.
                    let _ = editor.append_history(file);
                }
                match shell.obey(line.trim()) {
                    Ok(true) => {}
                    Ok(false) => return Ok(Exit::Done),
                    Err(failure) => ui::complain(&failure.text()),
                }
            }
            // Ctrl-C drops the line, as in every shell.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return Ok(Exit::Done),
            Err(error) => return Err(failed(error)),
        }
    }
}

/// The file of the history in the user's folder of states; none without a home.
fn history_file() -> Option<PathBuf> {
    let folder = settings::state_folder()?;
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("sql_history"))
}

impl Shell<'_> {
    /// Does what a line says; false when it says to leave.
    fn obey(&mut self, line: &str) -> Result<bool> {
        let Some(command) = line.strip_prefix('.') else {
            if !line.trim_matches([';', ' ', '\n', '\t']).is_empty() {
                self.refresh()?;
                sql::answer(&self.context, &self.asked.session, line, self.manner)?;
            }
            return Ok(true);
        };
        let mut words = command.trim_end_matches(';').split_whitespace();
        let (name, value) = (words.next().unwrap_or_default(), words.next());
        match name {
            "quit" | "exit" | "q" => return Ok(false),
            "help" => {
                self.list(["command", "meaning"], HELP.iter().map(|row| row.map(str::to_owned)))
            }
            "tables" => self.list(["table", "meaning"], tables()),
            "schema" => self.schema(value.unwrap_or("records")),
            "metrics" => lists::metric_list(&self.context),
            "dimensions" => lists::dimensions(&self.context),
            "format" => self.set_format(value),
            "limit" => self.set_limit(value),
            other => Err(Failure::usage(format!("there is no command .{other}"))
                .hint(".help lists the commands")),
        }?;
        Ok(true)
    }

    /// Takes in what was ingested since the last statement.
    fn refresh(&mut self) -> Result<()> {
        let store = self.context.store()?;
        if store.snapshot(self.asked.window)?.generation != self.asked.snapshot.generation {
            self.asked = asked::open_with(&self.context, self.times, self.files)?;
        }
        Ok(())
    }

    fn list<const N: usize>(
        &self,
        names: [&str; N],
        rows: impl Iterator<Item = [String; N]>,
    ) -> Result<Exit> {
        lists::list(&self.context, names, rows.collect())
    }

    fn schema(&self, table: &str) -> Result<Exit> {
        let columns: &[Column] = match table {
            "hourly" => HOURLY,
            "rejects" => REJECTS,
            name if name == "records" || prelude::views().iter().any(|view| view.0 == name) => {
                COLUMNS
            }
            other => {
                return Err(Failure::usage(format!("there is no table `{other}`"))
                    .hint(".tables lists the tables"));
            }
        };
        let row =
            |column: &Column| [column.name, sql_type(column.kind), column.doc].map(str::to_owned);
        let day = [DATE.0, "date", DATE.1].map(str::to_owned);
        self.list(["column", "type", "meaning"], columns.iter().map(row).chain([day]))
    }

    fn set_format(&mut self, name: Option<&str>) -> Result<Exit> {
        if let Some(name) = name {
            let format: Format = name.parse().map_err(|error| Failure::failed(&error))?;
            if format.is_binary() {
                let hint = format!("`pmtaq sql STATEMENT --format {format} -o FILE` writes it");
                return Err(Failure::usage(format!("{format} is not for a terminal")).hint(hint));
            }
            self.context.global.format = format;
        }
        ui::note(&self.context.global, &format!("format {}", self.context.global.format));
        Ok(Exit::Done)
    }

    fn set_limit(&mut self, rows: Option<&str>) -> Result<Exit> {
        if let Some(rows) = rows {
            let limit = rows.replace(',', "").parse();
            self.manner.limit = Some(limit.map_err(|_| {
                Failure::usage(format!("`{rows}` is not a number of rows; 0 is all"))
            })?);
        }
        let text = match self.manner.limit {
            None => "limit 1,000 in a table".to_owned(),
            Some(0) => "no limit".to_owned(),
            Some(rows) => format!("limit {rows}"),
        };
        ui::note(&self.context.global, &text);
        Ok(Exit::Done)
    }
}

fn tables() -> impl Iterator<Item = [String; 2]> {
    let tables = [
        ("records", "All records."),
        ("hourly", "Counts of records by hour."),
        ("rejects", "Lines that were refused, with reasons."),
    ];
    let views = prelude::views().into_iter().map(|(name, doc, _)| (name, doc));
    tables.into_iter().chain(views).map(|(name, doc)| [name.to_owned(), doc.to_owned()])
}

/// What the editor knows: words to complete, and where a statement ends.
struct Words(Vec<String>);

impl Words {
    fn new() -> Words {
        let mut words: Vec<String> = KEYWORDS.iter().map(|word| (*word).to_owned()).collect();
        words.extend(tables().map(|[name, _]| name));
        words.extend(
            COLUMNS.iter().chain(HOURLY).chain(REJECTS).map(|column| column.name.to_owned()),
        );
        words.push(DATE.0.to_owned());
        words.extend(metrics().iter().map(|metric| format!("{}()", metric.name)));
        words.extend(DIMENSIONS.iter().map(|dimension| dimension.name.to_owned()));
        words.extend(HELP.iter().filter_map(|[command, _]| {
            command.split(' ').next().filter(|word| word.starts_with('.')).map(str::to_owned)
        }));
        words.sort();
        words.dedup();
        Words(words)
    }
}

impl Completer for Words {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let head = line.get(..pos).unwrap_or_default();
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let start = head
            .rfind(|c| !part(c))
            .map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8));
        let word = head[start..].to_ascii_lowercase();
        let found = self.0.iter().filter(|known| !word.is_empty() && known.starts_with(&word));
        Ok((start, found.cloned().collect()))
    }
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let line = context.input().trim();
        let complete = line.is_empty() || line.starts_with('.') || is_complete(line);
        Ok(if complete { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Borrowed(prompt)
    }
}

impl Helper for Words {}

#[cfg(test)]
mod tests {
    use super::*;
    use rustyline::history::History as _;

    #[test]
    fn tables_columns_metrics_and_commands_are_completed() {
        let words = Words::new();
        let history = FileHistory::new();
        assert!(history.is_empty());
        let complete = |line: &str| {
            let context = rustyline::Context::new(&history);
            words.complete(line, line.len(), &context).expect("never fails")
        };
        assert_eq!(complete("select bounce_ra"), (7, vec!["bounce_rate()".to_owned()]));
        assert_eq!(complete("select * from queue_d").1, ["queue_deferrals"]);
        assert_eq!(complete("SELECT RCPT_D").1, ["rcpt_domain"]);
        assert_eq!(complete(".sch"), (0, vec![".schema".to_owned()]));
        assert_eq!(complete("select '\u{fc}"), (10, vec![]));
        assert!(complete("select ").1.is_empty());
    }
}
