//! The Python module: its methods are the reports of today, its answers are those of the program, and the
//! notebook of docs/ runs as it is shown.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use pmtaq_query::{Catalog, DIMENSIONS, FILTERS, Param, ParamKind, Report, metrics};

use crate::sealed::{Sealed, golden, interpreter, root};

/// A Python that finds the module and the program, and a store.
fn python(sealed: &Sealed, args: &[&Path]) -> Output {
    let mut command = Command::new(interpreter());
    command.args(args).current_dir(sealed.dir.path()).env_clear();
    command.env("PYTHONPATH", root().join("python")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("PMTAQ_BIN", env!("CARGO_BIN_EXE_pmtaq")).env("PMTAQ_STORE", sealed.store());
    command.env("PMTAQ_ETC", sealed.dir.path().join("etc")).env("PATH", "/usr/bin:/bin");
    command.output().unwrap()
}

fn succeeds(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_report_is_a_method_with_its_arguments_and_its_help() {
    golden("../python/pmtaq/reports.py", &reports());
}

#[test]
fn answers_in_python_are_those_of_the_program_at_scale() {
    let sealed = Sealed::of_samples();
    let script = root().join("tests/python/module.py");
    succeeds(&python(&sealed, &[&script]));
}

#[test]
fn the_notebook_runs_as_it_is_shown_at_scale() {
    let sealed = Sealed::new();
    let (script, notebook) =
        (root().join("tests/python/notebook.py"), root().join("docs/notebook.ipynb"));
    std::os::unix::fs::symlink(
        root().join("samples").canonicalize().unwrap(),
        sealed.dir.path().join("samples"),
    )
    .unwrap();
    golden("../docs/notebook.ipynb", &succeeds(&python(&sealed, &[&script, &notebook])));
}

/// The module `reports`, made from the headers of `sql/`.
fn reports() -> String {
    let mut text = "\"\"\"The reports as methods. Made by the tests from the headers in sql/; `UPDATE=1 cargo test` rewrites it.\n\n\
        Every method takes the window (`since`, `until`, `last`) and the filters of the command line, each with a value or a\n\
        list of them; `*` stands for any text. All rows come, unless `top` says how many.\n\"\"\"\n\n\
        from __future__ import annotations\n\n\
        import datetime\n\
        from collections.abc import Mapping, Sequence\n\
        from typing import TYPE_CHECKING, Any, Literal, Union\n\n\
        if TYPE_CHECKING:\n    from ._answer import Answer\n\n\
        When = Union[str, datetime.date, datetime.datetime]\n\
        \"\"\"A moment: `yesterday`, `2h`, `2026-03-01T16:00`, or one of Python, in UTC where it names no zone.\"\"\"\n\n\
        Values = Union[str, Sequence[str]]\n\"\"\"A value of a filter, or several, of which any will do.\"\"\"\n\n"
        .to_owned();
    list(
        &mut text,
        "Dimension",
        "What records are grouped by.",
        DIMENSIONS.iter().map(|of| of.name),
    );
    list(
        &mut text,
        "Metric",
        "What is counted of records.",
        metrics().iter().map(|of| of.name.as_str()),
    );
    text.push_str("\nclass Reports:\n    \"\"\"The reports of pmtaq.\"\"\"\n");
    for report in Catalog::builtin().unwrap().iter() {
        method(&mut text, report);
    }
    text.push_str(
        "\n    def _report(self, name: str, given: Mapping[str, Any], *places: str) -> Answer:\n        \
         raise NotImplementedError\n",
    );
    text
}

fn list<'n>(text: &mut String, name: &str, doc: &str, names: impl Iterator<Item = &'n str>) {
    let _ = writeln!(text, "{name} = Union[\n    Literal[");
    for name in names {
        let _ = writeln!(text, "        \"{name}\",");
    }
    let _ = writeln!(text, "    ],\n    str,\n]\n\"\"\"{doc}\"\"\"\n");
}

/// The arguments that every report takes: name, type, meaning.
fn shared(report: &Report) -> Vec<(String, &'static str, String)> {
    let mut all = Vec::new();
    if !report.has_own_windows() {
        let mut add = |name: &str, of, doc: &str| all.push((name.to_owned(), of, doc.to_owned()));
        add("since", "When", "Begin of the window");
        add("until", "When", "End of the window, not included");
        add("last", "str", "The window up to now, such as `2h`");
    }
    all.extend(
        FILTERS.iter().map(|filter| (filter.name.to_owned(), "Values", filter.help.to_owned())),
    );
    let any = "Any dimension and its value, such as `header_X-Campaign=spring*`";
    all.push(("filter".to_owned(), "Values", any.to_owned()));
    all.push((
        "where".to_owned(),
        "str",
        "A condition in SQL over the columns of `records`".to_owned(),
    ));
    all
}

fn method(text: &mut String, report: &Report) {
    let name = report.name.replace(['-', ' '], "_");
    let (places, named): (Vec<&Param>, Vec<&Param>) =
        report.settable().partition(|param| param.positional && param.default.is_none());
    let _ = writeln!(text, "\n    def {name}(\n        self,");
    for param in &places {
        let _ = writeln!(text, "        {}: str,", argument(&param.name));
    }
    let _ = writeln!(text, "        *,");
    for param in &named {
        let (of, default) = typed(param);
        let _ = writeln!(text, "        {}: {of} = {default},", argument(&param.name));
    }
    let shared = shared(report);
    for (name, of, _) in &shared {
        let _ = writeln!(text, "        {}: {of} | None = None,", argument(name));
    }
    let _ = writeln!(text, "    ) -> Answer:\n        \"\"\"{}.", escaped(&report.title));
    let _ = writeln!(
        text,
        "\n{}\n\n        Args:",
        wrapped(&escaped(&report.help), "        ", "        ")
    );
    let own = places.iter().chain(&named).map(|param| (param.name.clone(), param.doc.clone()));
    for (name, doc) in own.chain(shared.into_iter().map(|(name, _, doc)| (name, doc))) {
        let doc = format!("{}: {}.", argument(&name), escaped(&doc));
        let _ = writeln!(text, "{}", wrapped(&doc, "            ", "                "));
    }
    let places: String =
        places.iter().map(|param| format!(", \"{}\"", argument(&param.name))).collect();
    let _ = writeln!(
        text,
        "        \"\"\"\n        return self._report(\"{}\", locals(){places})",
        report.name
    );
}

/// The type of a parameter, and its default.
fn typed(param: &Param) -> (String, String) {
    let text = |of: &str| match &param.default {
        Some(default) => (of.to_owned(), format!("\"{default}\"")),
        None => (format!("{of} | None"), "None".to_owned()),
    };
    match &param.kind {
        // In a program a list is not to be looked at.
        ParamKind::Int if param.name == "top" => ("int | None".to_owned(), "None".to_owned()),
        ParamKind::Int => match &param.default {
            Some(default) => ("int".to_owned(), default.clone()),
            None => ("int | None".to_owned(), "None".to_owned()),
        },
        ParamKind::Flag => ("bool".to_owned(), "False".to_owned()),
        ParamKind::Choice(choices) => {
            let choices: Vec<String> =
                choices.iter().map(|choice| format!("\"{choice}\"")).collect();
            text(&format!("Literal[{}]", choices.join(", ")))
        }
        ParamKind::Dimension => text("Dimension"),
        ParamKind::Metric => text("Metric"),
        ParamKind::Time => text("When"),
        ParamKind::Text | ParamKind::Duration | ParamKind::Window | ParamKind::Filter(_) => {
            text("str")
        }
    }
}

/// The name of an option in Python.
fn argument(name: &str) -> String {
    let name = name.replace('-', "_");
    if ["class", "from", "in", "is", "not", "with"].contains(&name.as_str()) {
        name + "_"
    } else {
        name
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "'")
}

/// `text` in lines of 100 characters, the first behind `first` and the others behind `next`.
fn wrapped(text: &str, first: &str, next: &str) -> String {
    let mut lines = vec![first.to_owned()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is always one");
        let is_begin = last.trim().is_empty();
        if !is_begin && last.len() + 1 + word.len() > 100 {
            lines.push(format!("{next}{word}"));
        } else {
            last.push_str(if is_begin { "" } else { " " });
            last.push_str(word);
        }
    }
    lines.join("\n")
}
