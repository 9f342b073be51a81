"""PowerMTA accounting logs in Python: a thin layer over the program `pmtaq`.

    import pmtaq

    store = pmtaq.Store("/var/lib/pmtaq/store")
    store.top_bounces(domain="gmail.com", since="yesterday")
    store.sql("select provider, deferral_rate() from records group by 1").polars()
    store.records(since="2026-03-01", provider="yahoo")  # a lazy Polars frame

Every report of `pmtaq reports` is a method of `Store`. Answers are Arrow tables, and go as they are to
whatever reads such: Polars, DuckDB, pandas. This module opens no file of a store by itself: the program
says which files count.
"""

from ._answer import Answer, Page, Picture
from ._program import Error, StoreError, UsageError
from .store import Store

__all__ = ["Answer", "Error", "Page", "Picture", "Store", "StoreError", "UsageError"]
