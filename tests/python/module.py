#!/usr/bin/env python3
"""Asks the module `pmtaq` as a notebook does, and compares with what the program and other readers say.

The store of PMTAQ_STORE is that of the samples. It ends with 0 when all is as it must be.
"""

import datetime
import inspect
import json
import os
import subprocess
import warnings

import duckdb
import polars
import pmtaq
from pmtaq.store import COLUMNS

STORE = os.environ["PMTAQ_STORE"]
DAY = {"since": "2026-03-02", "until": "2026-03-03"}


def program(*arguments):
    """What the program says, as JSON."""
    said = subprocess.run(
        [os.environ["PMTAQ_BIN"], *arguments, "--format=json"], capture_output=True, check=True
    )
    return json.loads(said.stdout)


def fails(kind, call, *words):
    """Requires that a call fails, and what it says."""
    try:
        call()
    except kind as error:
        assert all(word in str(error) for word in words), str(error)
        return error
    raise AssertionError(f"it did not fail: {words}")


def answers(store):
    """Reports, pivots and SQL are what the program answers, of the right types."""
    bounces = store.top_bounces(domain="gmail.com", by="enhanced", **DAY)
    said = program(
        "top-bounces",
        "--domain=gmail.com",
        "--by=enhanced",
        "--since=2026-03-02",
        "--until=2026-03-03",
        "--top=0",
    )
    assert len(bounces) == len(said) > 0
    for row, other in zip(bounces.rows(), said):
        for name, value in other.items():
            is_time = isinstance(row[name], datetime.datetime)
            found = row[name].isoformat().replace("+00:00", "Z") if is_time else row[name]
            assert found == value or abs(found - value) < 1e-9, (name, found, value)
    assert bounces.unit("share") == "percent" and bounces.unit("first_seen") == "time"
    assert bounces["first_seen"][0].utcoffset() == datetime.timedelta(0)
    assert "2026-03-02 00:00" in bounces.notes[0], bounces.notes

    pivot = store.pivot(["provider"], ["sent", "bounce_rate"], cols="vmta_pool", **DAY)
    assert pivot["provider"][-1] == "total" and len(pivot) > 4, pivot
    counted = store.sql("select provider, sent() from records group by 1 order by 2 desc", **DAY)
    assert polars.DataFrame(counted).equals(counted.polars())
    n_sent = sum(counted["sent"])
    assert duckdb.sql("select sum(sent) from counted").fetchall() == [(n_sent,)]
    assert store.stats_top_bounce(top=3).rows() != [] and len(store.providers(top=2)) == 2
    job = program("jobs")[1]["job_id"]
    assert len(store.job(job)) > 5
    assert len(store.suppress(class_="soft")) == len(program("suppress", "--class=soft"))
    assert len(store.compare(a="2026-03-01", b="2026-03-02", metric="deferral_rate")) > 0
    why = store.why("deferral_rate", window="2026-03-02T16:00..2026-03-02T18:00", vs="previous")
    assert why["metric"] == "deferral_rate", why
    assert len(store.search("550", limit=3)) == 3
    rcpt = store.sql("select rcpt from deliveries limit 1")["rcpt"][0]
    assert len(store.trace(rcpt)) > 0 and len(store.explain("5.1.1")) > 0
    assert len(store.series("sent", every="1h", **DAY)) == 24
    for about in [store.doctor(), store.columns(), store.metrics(), store.dimensions()]:
        assert len(about) > 2


def lazy(store):
    """Records are read lazily, as of the last commit, and filters are those of the command line."""

    def n_of(**asked):
        found = store.records(**asked).select(polars.len()).collect().item()
        window = {name: asked.pop(name) for name in ["since", "until"] if name in asked}
        flags = [f"--{name}={value}" for name, values in asked.items() for value in values]
        window = [
            f"--{name}={value:%Y-%m-%dT%H:%M:%SZ}"
            if isinstance(value, datetime.date)
            else f"--{name}={value}"
            for name, value in window.items()
        ]
        said = program(
            "search", "--rec=d,b,t,tq,r,rb,rs,f", "--limit=0", "--fields=rec", *window, *flags
        )
        assert found == len(said), (asked, found, len(said))
        return found

    assert n_of() == 6000
    assert 0 < n_of(since="2026-03-02T16:00", until=datetime.datetime(2026, 3, 2, 18)) < 1000
    assert n_of(**DAY, provider=["yahoo", "gmail"]) > 100
    assert n_of(domain=["*.com"]) > n_of(domain=["gmail.com"]) > 100
    assert (
        n_of(code=["55*"]) > 0
        and n_of(code=["5.7.*", "421"]) > 0
        and n_of(job=["newsletter-*"]) > 0
    )
    assert (
        n_of(vmta=["vmta.news*"]) == 0 and n_of(pool=["pool-bulk"], category=["policy-related"]) > 0
    )
    frame = store.records(**DAY)
    assert isinstance(frame, polars.LazyFrame)
    first = frame.select("time_logged", "date").first().collect()
    assert first.schema["time_logged"] == polars.Datetime("ms", "UTC")
    assert first["date"][0] == datetime.date(2026, 3, 2)
    nothing = store.records(since="2030-01-01").collect()
    assert nothing.shape[0] == 0 and set(nothing.columns) >= set(frame.collect_schema()) - {"date"}
    assert (
        store.dataset(**DAY).count_rows()
        == store.sql("select count(*) n from records", **DAY)["n"][0]
    )
    assert store.dataset("hourly", since="2030-01-01").count_rows() == 0
    assert all(f"{STORE}/hourly/" in path for path in store.paths("hourly", last="9999d"))


def shown(store):
    """A notebook shows answers, and what strangers wrote in them does no harm."""
    rates = store.providers(top=3)
    page = rates._repr_html_()
    assert "<th " in page and "gmail" in page and " %</td>" in page, page
    assert "gmail" in repr(rates) and " %" in repr(rates)
    hostile = store.sql("select '<script>alert(1)</script>' as \"<b>\", null as nothing, 1.5 as n")
    assert "<script" not in hostile._repr_html_() and "<b>" not in hostile._repr_html_()
    many = store.sql("select * from range(1000) t(n)")
    assert len(many) == 1000 and "20 of 1,000 rows" in repr(many)
    picture = store.graph("deferral_rate", by="provider", **DAY)
    assert picture._repr_svg_().startswith("<svg") and "yahoo" in picture.svg
    page = store.report(**DAY)
    assert page.html.startswith("<!DOCTYPE html>") and "<script" not in page._repr_html_()


def errors(store):
    """What goes wrong is an exception that says what helps."""
    error = fails(pmtaq.UsageError, lambda: store.pivot("provder"), "did you mean `provider`")
    assert error.exit_code == 2
    fails(pmtaq.UsageError, lambda: store.sql("drop view records"), "only one statement")
    fails(pmtaq.UsageError, pmtaq.Store("/no/such").status, "there is no store", "pmtaq ingest")
    fails(pmtaq.Error, lambda: store.sql("select nonsense from records"), "nonsense")
    fails(pmtaq.UsageError, lambda: store.providers(since="nonsense"), "nonsense")
    fails(TypeError, lambda: store.providers(nonsense=1), "nonsense")
    # A value that looks like an option is none.
    assert len(store.volume(vmta="--help")) == 0 and len(store.search("--version")) == 0


def complete(store):
    """Every report is there, and every method that takes filters takes all of them."""
    for report in program("reports"):
        method = getattr(store, report["report"].replace("-", "_").replace(" ", "_"))
        assert report["title"] in method.__doc__, report
    wanted = {*COLUMNS, "code"}
    for name, method in inspect.getmembers(store, inspect.ismethod):
        has = set(inspect.signature(method).parameters)
        assert "provider" not in has or has >= wanted, name
    help_ = subprocess.run(
        [os.environ["PMTAQ_BIN"], "volume", "--help"], capture_output=True, text=True
    )
    assert all(f"--{name} <" in help_.stdout for name in wanted)


def main():
    """Asks."""
    store = pmtaq.Store(STORE, threads=2)
    warnings.simplefilter("error")
    for ask in [answers, lazy, shown, errors, complete]:
        ask(store)
    assert repr(pmtaq.Store()) == "Store()" and pmtaq.Store().status()["days"] == [3]


main()
