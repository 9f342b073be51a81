"""What the program answers with: rows, a picture, a page. Each shows itself in a notebook."""

from __future__ import annotations

import datetime
import html
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

SHOWN = 20
"""Rows that are shown of an answer that has more."""

FEW = 20
"""A rate of fewer is mostly chance, and is shown with a `~`."""


class Answer:
    """Rows, with what their columns mean.

    It goes as it is to what takes Arrow: `polars.DataFrame(answer)`, `duckdb.sql("from answer")`. What the
    program had to say beside it (the window, what is not logged) is in `notes`.
    """

    def __init__(self, stream: bytes, notes: Iterable[str] = ()):
        self.stream = stream
        self.notes = list(notes)

    @cached_property
    def table(self) -> pyarrow.Table:
        """The rows as an Arrow table; times are UTC."""
        import pyarrow.ipc

        with pyarrow.ipc.open_stream(self.stream) as reader:
            return reader.read_all()

    def polars(self) -> polars.DataFrame:
        """The rows as a Polars frame."""
        import polars

        return polars.read_ipc_stream(self.stream)

    def pandas(self) -> pandas.DataFrame:
        """The rows as a pandas frame, of Arrow's types: a count that may be missing stays a count."""
        import pandas

        return self.table.to_pandas(types_mapper=pandas.ArrowDtype)

    def rows(self) -> list[dict[str, Any]]:
        """The rows, each as a dictionary."""
        return self.table.to_pylist()

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self.table.column_names

    def unit(self, column: str) -> str:
        """Returns what a column is: text, count, percent, bytes, seconds, time, local or number."""
        return self._meaning(column, b"unit") or "text"

    def _meaning(self, column: str, key: bytes) -> str | None:
        found = (self.table.schema.field(column).metadata or {}).get(key)
        return found.decode() if found else None

    def __len__(self) -> int:
        return self.table.num_rows

    def __getitem__(self, column: str) -> list[Any]:
        """The values of a column."""
        return self.table[column].to_pylist()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)

    def _shown(self) -> list[list[str]]:
        """The first rows as people read them."""
        units = {name: (self.unit(name), self._meaning(name, b"of")) for name in self.columns}

        def cell(row: dict[str, Any], name: str) -> str:
            unit, of = units[name]
            text = display(row[name], unit)
            is_weak = bool(text) and of is not None and row[of] is not None and row[of] < FEW
            return f"~{text}" if is_weak else text

        rows = self.table.slice(0, SHOWN).to_pylist()
        return [[cell(row, name) for name in self.columns] for row in rows]

    def _rest(self) -> str:
        n_rows = len(self)
        return f"{SHOWN} of {n_rows:,} rows" if n_rows > SHOWN else ""

    def __repr__(self) -> str:
        lines = [self.columns, *self._shown()]
        widths = [max(map(len, column)) for column in zip(*lines)]
        is_right = [is_number(self.unit(name)) for name in self.columns]
        texts = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, is_right)
            ).rstrip()
            for line in lines
        ]
        return "\n".join([*texts, *filter(None, [self._rest()])])

    def _repr_html_(self) -> str:
        def row(tag: str, cells: list[str]) -> str:
            aligned = (
                f'<{tag} style="text-align:{"right" if is_number(self.unit(name)) else "left"}">'
                f"{html.escape(cell)}</{tag}>"
                for name, cell in zip(self.columns, cells)
            )
            return f"<tr>{''.join(aligned)}</tr>"

        below = [html.escape(text) for text in [self._rest(), *self.notes] if text]
        body = "".join(row("td", cells) for cells in self._shown())
        return (
            f"<table><thead>{row('th', self.columns)}</thead><tbody>{body}</tbody></table>"
            + "".join(f"<div><small>{text}</small></div>" for text in below)
        )


class Picture:
    """A drawing, as SVG."""

    def __init__(self, svg: str, notes: Iterable[str] = ()):
        self.svg = svg
        self.notes = list(notes)

    def save(self, path: str | Path) -> None:
        """Writes it to a file."""
        Path(path).write_text(self.svg, encoding="utf-8")

    def __repr__(self) -> str:
        return f"<Picture of {len(self.svg):,} characters of SVG>"

    def _repr_svg_(self) -> str:
        return self.svg


class Page:
    """A report to be read in a browser, or in a notebook: one HTML file that needs no network."""

    def __init__(self, text: str, notes: Iterable[str] = ()):
        self.html = text
        self.notes = list(notes)

    def save(self, path: str | Path) -> None:
        """Writes it to a file."""
        Path(path).write_text(self.html, encoding="utf-8")

    def __repr__(self) -> str:
        return f"<Page of {len(self.html):,} characters of HTML>"

    def _repr_html_(self) -> str:
        # In a frame of its own, so that neither touches the other.
        return (
            '<iframe sandbox="allow-scripts" style="width:100%;height:50em;border:0" '
            f'srcdoc="{html.escape(self.html)}"></iframe>'
        )


def is_number(unit: str) -> bool:
    """Returns whether values of a unit stand at the right edge of their column."""
    return unit not in ("text", "time", "local")


def display(value: Any, unit: str) -> str:
    """Returns a value as people read it."""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or unit == "text":
        return str(value)
    if unit == "percent":
        return f"{value:.2f} %" if 0 < abs(value) < 1 else f"{value:.1f} %"
    if unit == "bytes":
        return size(value)
    if unit == "seconds":
        return duration(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def size(value: float) -> str:
    """Returns a number of bytes with a unit."""
    units = ["B", "kB", "MB", "GB", "TB"]
    while abs(value) >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.0f} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def duration(value: float) -> str:
    """Returns a number of seconds with its two largest units."""
    if abs(value) < 60:
        return f"{value:.3g} s"
    for length, small, names in [
        (3600, 60, "ms"),
        (86400, 3600, "hm"),
        (float("inf"), 86400, "dh"),
    ]:
        if abs(value) < length:
            least = {"ms": 1, "hm": 60, "dh": 3600}[names]
            whole, rest = divmod(round(value / least), small // least)
            return f"{whole} {names[0]} {rest:02} {names[1]}"
    return str(value)
