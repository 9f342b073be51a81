#!/usr/bin/env python3
"""notebook.py FILE: runs the cells of a notebook and prints it with what they show, as Jupyter saves it.

It knows no kernel: a cell is Python, but for lines that begin with % or !, which are left out. Every kind
of output is kept that a browser on GitHub shows.
"""

import ast
import contextlib
import io
import json
import sys

KINDS = {"text/html": "_repr_html_", "image/svg+xml": "_repr_svg_"}


def lines(text):
    """Returns a text as notebooks keep it."""
    return text.splitlines(keepends=True)


def shown(value):
    """Returns what Jupyter shows of a value."""
    data = {"text/plain": lines(repr(value))}
    for kind, method in KINDS.items():
        if hasattr(value, method):
            data[kind] = lines(getattr(value, method)())
    return data


def run(cell, names, count):
    """Runs a cell, and keeps what it shows."""
    source = "".join(line for line in cell["source"] if not line.startswith(("%", "!")))
    parsed = ast.parse(source)
    last = parsed.body.pop() if parsed.body and isinstance(parsed.body[-1], ast.Expr) else None
    printed = io.StringIO()
    outputs = []
    with contextlib.redirect_stdout(printed):
        exec(compile(parsed, "cell", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None
    if printed.getvalue():
        outputs.append(
            {"name": "stdout", "output_type": "stream", "text": lines(printed.getvalue())}
        )
    if value is not None:
        data = shown(value)
        outputs.append(
            {
                "data": data,
                "execution_count": count,
                "metadata": {},
                "output_type": "execute_result",
            }
        )
    cell.update(execution_count=count, outputs=outputs)


def main():
    """Runs the cells in order and prints the notebook."""
    with open(sys.argv[1], encoding="utf-8") as file:
        notebook = json.load(file)
    names = {"__name__": "__main__"}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for count, cell in enumerate(cells, start=1):
        run(cell, names, count)
    print(json.dumps(notebook, indent=1, ensure_ascii=False))


main()
