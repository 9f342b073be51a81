"""A store and what can be asked of it."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from . import _program
from ._answer import Answer, Page, Picture
from .reports import Dimension, Metric, Reports, Values, When

if TYPE_CHECKING:
    import polars
    import pyarrow.dataset

Table = Literal["records", "hourly", "daily_senders", "daily_domains", "rejects"]

COLUMNS = {
    "domain": "rcpt_domain",
    "provider": "provider",
    "vmta": "vmta",
    "pool": "vmta_pool",
    "ip": "dlv_source_ip",
    "sender": "sender_domain",
    "job": "job_id",
    "host": "host",
    "category": "bounce_cat",
}
"""The columns that filters compare; `code` compares two."""


class Store(Reports):
    """A store of PowerMTA accounting records.

    Every report of `pmtaq reports` is a method. Nothing is kept open: each call asks for what is committed then.

    Args:
        path: Folder of the store; the one of PMTAQ_STORE or of the settings when none is named.
        tz: Zone of the days and hours in questions and answers, such as `Europe/Madrid`. Times stay UTC.
        threads: Threads of each question; all cores when none is said.
        memory: Memory of each question, such as `512MB`.
        timeout: How long each question may take, such as `30s`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        tz: str | None = None,
        threads: int | None = None,
        memory: str | None = None,
        timeout: str | None = None,
    ):
        self.path = None if path is None else os.fspath(path)
        given = {
            "store": self.path,
            "tz": tz,
            "threads": threads,
            "memory": memory,
            "timeout": timeout,
        }
        self._options = options(given)

    def __repr__(self) -> str:
        return f"Store({self.path!r})" if self.path else "Store()"

    def ingest(self, *files: str | os.PathLike[str], host: str | None = None) -> Answer:
        """Takes new records of accounting files into the store; without files those of the settings.

        A row says what was read, stored, known before and refused. Lines that were refused are no error.
        """
        arguments = ["ingest", *options({"host": host}), "--", *map(os.fspath, files)]
        return self._answer(arguments, fine=(0, 4))

    def sql(
        self,
        statement: str,
        *,
        since: When | None = None,
        until: When | None = None,
        last: str | None = None,
        limit: int | None = None,
    ) -> Answer:
        """A statement in SQL: tables as `pmtaq sql` has them, each metric as `name()`, read-only."""
        given = {"since": since, "until": until, "last": last, "limit": limit}
        return self._answer(["sql", *options(given), "--", statement])

    def pivot(
        self,
        rows: Dimension | Sequence[Dimension],
        metric: Metric | Sequence[Metric] = ("sent", "bounce_rate"),
        *,
        cols: Dimension | None = None,
        top: int | None = None,
        since: When | None = None,
        until: When | None = None,
        last: str | None = None,
        domain: Values | None = None,
        provider: Values | None = None,
        vmta: Values | None = None,
        pool: Values | None = None,
        ip: Values | None = None,
        sender: Values | None = None,
        job: Values | None = None,
        host: Values | None = None,
        category: Values | None = None,
        code: Values | None = None,
        filter: Values | None = None,
        where: str | None = None,
    ) -> Answer:
        """Any metrics by any dimensions. `top` rows, the rest summed up; all when it is not said."""
        given = {**locals(), "top": 0 if top is None else top}
        given.update(rows=joined(rows), metric=joined(metric))
        return self._report("pivot", given)

    def series(
        self,
        metrics: Metric | Sequence[Metric] = ("delivered", "deferred", "bounced"),
        *,
        by: Dimension | None = None,
        every: str | None = None,
        top: int = 5,
        since: When | None = None,
        until: When | None = None,
        last: str | None = None,
        domain: Values | None = None,
        provider: Values | None = None,
        vmta: Values | None = None,
        pool: Values | None = None,
        ip: Values | None = None,
        sender: Values | None = None,
        job: Values | None = None,
        host: Values | None = None,
        category: Values | None = None,
        code: Values | None = None,
        filter: Values | None = None,
        where: str | None = None,
    ) -> Answer:
        """Any metrics over time, and `queue_depth`, `queue_peak` and `queue_oldest`. `every` is a step: `5m`, `1h`."""
        return self._report("graph", {**locals(), "metrics": joined(metrics)}, "metrics")

    def graph(
        self,
        metrics: Metric | Sequence[Metric] = ("delivered", "deferred", "bounced"),
        *,
        by: Dimension | None = None,
        every: str | None = None,
        top: int = 5,
        since: When | None = None,
        until: When | None = None,
        last: str | None = None,
        domain: Values | None = None,
        provider: Values | None = None,
        vmta: Values | None = None,
        pool: Values | None = None,
        ip: Values | None = None,
        sender: Values | None = None,
        job: Values | None = None,
        host: Values | None = None,
        category: Values | None = None,
        code: Values | None = None,
        filter: Values | None = None,
        where: str | None = None,
    ) -> Picture:
        """What `series` gives, drawn."""
        given = {**locals(), "metrics": joined(metrics)}
        arguments = ["graph", *taken(given, ["metrics"]), "--svg=-", "--", joined(metrics)]
        svg, notes = self._run(arguments)
        return Picture(svg.decode(), notes)

    def why(
        self,
        metric: Metric = "delivered",
        *,
        at: When | None = None,
        window: str | None = None,
        vs: str | None = None,
        since: When | None = None,
        until: When | None = None,
        last: str | None = None,
        domain: Values | None = None,
        provider: Values | None = None,
        vmta: Values | None = None,
        pool: Values | None = None,
        ip: Values | None = None,
        sender: Values | None = None,
        job: Values | None = None,
        host: Values | None = None,
        category: Values | None = None,
        code: Values | None = None,
        filter: Values | None = None,
        where: str | None = None,
    ) -> dict[str, Any]:
        """Why a number changed: stage, causes with their share, since when, replies. docs/why.md has the keys."""
        arguments = ["why", *taken(locals(), ["metric"]), "--format=json", "--", metric]
        return json.loads(self._run(arguments)[0])[0]

    def search(
        self,
        *needles: str,
        fields: Sequence[str] | None = None,
        regex: bool = False,
        ignore_case: bool = False,
        rec: Values | None = None,
        limit: int = 100,
        since: When | None = None,
        until: When | None = None,
        last: str | None = None,
        domain: Values | None = None,
        provider: Values | None = None,
        vmta: Values | None = None,
        pool: Values | None = None,
        ip: Values | None = None,
        sender: Values | None = None,
        job: Values | None = None,
        host: Values | None = None,
        category: Values | None = None,
        code: Values | None = None,
        filter: Values | None = None,
        where: str | None = None,
    ) -> Answer:
        """Records that hold all of some texts, reply codes or regular expressions, newest first; 0 for no limit."""
        given = {**locals(), "fields": None if fields is None else joined(fields)}
        return self._answer(["search", *taken(given, ["needles"]), "--", *needles])

    def trace(
        self,
        rcpt: str | None = None,
        *,
        env_id: str | None = None,
        message_id: str | None = None,
        since: When | None = None,
        until: When | None = None,
        last: str | None = None,
        domain: Values | None = None,
        provider: Values | None = None,
        vmta: Values | None = None,
        pool: Values | None = None,
        ip: Values | None = None,
        sender: Values | None = None,
        job: Values | None = None,
        host: Values | None = None,
        category: Values | None = None,
        code: Values | None = None,
        filter: Values | None = None,
        where: str | None = None,
    ) -> Answer:
        """The life of a message: everything that happened to it, in order."""
        return self._report("trace", locals(), *(["rcpt"] if rcpt is not None else []))

    def explain(self, reply: str) -> Answer:
        """What a reply or a code means, whose fault it is, what helps, and how often it was seen."""
        return self._answer(["explain", "--", reply])

    def report(
        self,
        *,
        vs: str | None = None,
        since: When | None = None,
        until: When | None = None,
        last: str | None = None,
        domain: Values | None = None,
        provider: Values | None = None,
        vmta: Values | None = None,
        pool: Values | None = None,
        ip: Values | None = None,
        sender: Values | None = None,
        job: Values | None = None,
        host: Values | None = None,
        category: Values | None = None,
        code: Values | None = None,
        filter: Values | None = None,
        where: str | None = None,
    ) -> Page:
        """The report to read in a browser: what is wrong first, then everything else."""
        page, notes = self._run(["report", "--html=-", *taken(locals())])
        return Page(page.decode(), notes)

    def status(self) -> Answer:
        """What the store holds, how far it is behind, and what is missing: one row."""
        return self._answer(["status"])

    def doctor(self) -> Answer:
        """What is not logged, lost, late or refused."""
        return self._answer(["doctor"], fine=(0, 1))

    def columns(self) -> Answer:
        """The columns of `records`, with their meanings."""
        return self._answer(["columns"])

    def metrics(self) -> Answer:
        """The metrics, with their units and definitions."""
        return self._answer(["metrics"])

    def dimensions(self) -> Answer:
        """The dimensions, with their meanings."""
        return self._answer(["dimensions"])

    def paths(
        self,
        table: Table = "records",
        *,
        since: When | None = None,
        until: When | None = None,
        last: str | None = None,
    ) -> list[str]:
        """The Parquet files that hold the rows of a window, as of the last commit."""
        return [part["path"] for part in self._parts(locals())]

    def dataset(
        self,
        table: Table = "records",
        *,
        since: When | None = None,
        until: When | None = None,
        last: str | None = None,
    ) -> pyarrow.dataset.Dataset:
        """The rows of a window as an Arrow dataset, as they are stored: nothing is read before it is asked.

        Times have no zone there and are UTC.
        """
        import pyarrow
        import pyarrow.dataset
        import pyarrow.parquet

        parts = self._parts(locals())
        if not parts:
            return pyarrow.dataset.dataset(self._nothing(table).table)
        paths = [part["path"] for part in parts]
        # The newest part has all columns that an older one has.
        schema = pyarrow.parquet.read_schema(paths[-1])
        rows = pyarrow.dataset.dataset(paths, schema=schema, format="parquet")
        column = pyarrow.dataset.field(TIMES[table])
        for time, condition in bounds(parts):
            moment = pyarrow.scalar(time, pyarrow.timestamp("ms"))
            rows = rows.filter(column >= moment if condition == "since" else column < moment)
        return rows

    def records(
        self,
        *,
        since: When | None = None,
        until: When | None = None,
        last: str | None = None,
        domain: Values | None = None,
        provider: Values | None = None,
        vmta: Values | None = None,
        pool: Values | None = None,
        ip: Values | None = None,
        sender: Values | None = None,
        job: Values | None = None,
        host: Values | None = None,
        category: Values | None = None,
        code: Values | None = None,
    ) -> polars.LazyFrame:
        """The records of a window as a lazy Polars frame over the files of the last commit.

        Nothing is read before it is collected, and then only the columns and the row groups that are needed.
        Times are UTC and say so; `date` is their day. `bounce_class` is pmtaq's own, whatever the site's settings say.
        """
        import polars

        given = dict(locals())
        parts = self._parts({**given, "table": "records"})
        if not parts:
            return self._nothing("records").polars().lazy()
        paths = [part["path"] for part in parts]
        rows = polars.scan_parquet(
            paths,
            # The newest part has all columns that an older one has.
            schema=polars.read_parquet_schema(paths[-1]),
            hive_partitioning=False,
            missing_columns="insert",
        )
        for time, condition in bounds(parts):
            column = polars.col("time_logged")
            rows = rows.filter(column >= time if condition == "since" else column < time)
        for name in [*COLUMNS, "code"]:
            if given[name] is not None:
                rows = rows.filter(matches(name, listed(given[name])))
        times = [name for name, of in rows.collect_schema().items() if of == polars.Datetime("ms")]
        date = polars.col("time_logged").dt.date().alias("date")
        return rows.with_columns(
            date, *(polars.col(name).dt.replace_time_zone("UTC") for name in times)
        )

    def _nothing(self, table: str) -> Answer:
        """No row, with the columns of a table."""
        return self.sql(f"select * exclude (date) from {table} limit 0")

    def _parts(self, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        asked = {name: given[name] for name in ["table", "since", "until", "last"]}
        return json.loads(self._run(["paths", *options(asked), "--format=json"])[0])

    def _report(self, name: str, given: Mapping[str, Any], *places: str) -> Answer:
        places_given = [str(given[place]) for place in places]
        return self._answer([*name.split(" "), *taken(given, places), "--", *places_given])

    def _answer(self, arguments: Sequence[str], fine: Sequence[int] = (0,)) -> Answer:
        stream, notes = self._run([arguments[0], "--format=arrow", *arguments[1:]], fine)
        return Answer(stream, notes)

    def _run(self, arguments: Sequence[str], fine: Sequence[int] = (0,)) -> tuple[bytes, list[str]]:
        return _program.run([*self._options, *arguments], fine)


TIMES = {
    "records": "time_logged",
    "hourly": "hour",
    "daily_senders": "hour",
    "daily_domains": "hour",
    "rejects": "ingested_at",
}
"""The columns by which tables are filed."""


def taken(given: Mapping[str, Any], places: Sequence[str] = ()) -> list[str]:
    """Returns the options among the arguments of a method, of which `places` are given by their place."""
    return options({k: v for k, v in given.items() if k != "self" and k not in places})


def options(given: Mapping[str, Any]) -> list[str]:
    """Returns arguments as options of the command line; what is None or False is not said."""
    said = []
    for name, value in given.items():
        flag = f"--{name.rstrip('_').replace('_', '-')}"
        if value is None or value is False:
            continue
        if value is True:
            said.append(flag)
        else:
            said += [f"{flag}={spelt(one)}" for one in listed(value)]
    return said


def listed(value: Any) -> list[Any]:
    """Returns one value, or several, as a list."""
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]


def joined(names: str | Sequence[str]) -> str:
    """Returns names as the command line has several of them."""
    return ",".join(listed(names))


def spelt(value: Any) -> str:
    """Returns a value as the command line has it; a time without a zone is UTC."""
    if isinstance(value, datetime.datetime):
        utc = value.replace(tzinfo=value.tzinfo or datetime.timezone.utc).astimezone(
            datetime.timezone.utc
        )
        return utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def bounds(parts: Sequence[Mapping[str, Any]]) -> list[tuple[datetime.datetime, str]]:
    """Returns the ends of the window that was asked for, as UTC times without a zone."""
    ends = [(parts[0][end], end) for end in ["since", "until"] if parts[0][end] is not None]
    return [(datetime.datetime.fromisoformat(text.rstrip("Z")), end) for text, end in ends]


def matches(name: str, values: Sequence[str]) -> polars.Expr:
    """Returns the condition that a filter makes: any of its values, in which `*` stands for any text."""
    import polars

    def one(value: str) -> polars.Expr:
        column = COLUMNS.get(name)
        if column is None:
            is_reply = value != "*" and all(c.isdigit() or c == "*" for c in value)
            column = "smtp_code" if is_reply else "enhanced_code"
        if name in ("domain", "sender", "provider"):
            value = value.strip().lower()
        if name in ("domain", "sender") and not value.isascii():
            value = value.encode("idna").decode()
        text = polars.col(column).cast(polars.String)
        if "*" not in value:
            return text == value
        # Hexadecimal, so that no character means anything to a pattern.
        plain = (
            "".join(c if c.isalnum() else f"\\x{{{ord(c):x}}}" for c in piece)
            for piece in value.split("*")
        )
        return text.str.contains(f"^(?s:{'.*'.join(plain)})$")

    return polars.any_horizontal([one(str(value)) for value in values])
