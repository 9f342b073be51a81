"""The reports as methods. Made by the tests from the headers in sql/; `UPDATE=1 cargo test` rewrites it.

Every method takes the window (`since`, `until`, `last`) and the filters of the command line, each with a value or a
list of them; `*` stands for any text. All rows come, unless `top` says how many.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Union

if TYPE_CHECKING:
    from ._answer import Answer

When = Union[str, datetime.date, datetime.datetime]
"""A moment: `yesterday`, `2h`, `2026-03-01T16:00`, or one of Python, in UTC where it names no zone."""

Values = Union[str, Sequence[str]]
"""A value of a filter, or several, of which any will do."""

Dimension = Union[
    Literal[
        "sender_domain",
        "rcpt_domain",
        "provider",
        "vmta",
        "vmta_pool",
        "dlv_source_ip",
        "dlv_destination_ip",
        "mx",
        "job_id",
        "env_id",
        "queue",
        "rec",
        "bounce_cat",
        "bounce_class",
        "bounce_origin",
        "smtp_code",
        "enhanced_code",
        "template",
        "reply_fault",
        "mailbox_dead",
        "reply_family",
        "dlv_tls_protocol",
        "dlv_tls_cipher",
        "host",
        "src_type",
        "user_string",
        "format",
        "source",
        "day",
        "hour",
        "minute5",
        "hour_of_day",
        "weekday",
    ],
    str,
]
"""What records are grouped by."""

Metric = Union[
    Literal[
        "injected",
        "delivered",
        "bounced",
        "bounced_in_band",
        "bounced_by_receiver",
        "bounced_after_reply",
        "bounced_by_pmta",
        "deleted_by_operator",
        "hard",
        "soft",
        "block",
        "undetermined",
        "unknown_users",
        "sent",
        "accepted",
        "deferred",
        "delayed",
        "attempts",
        "complaints",
        "bytes",
        "accepted_rate",
        "bounce_rate",
        "hard_rate",
        "soft_rate",
        "block_rate",
        "undetermined_rate",
        "unknown_user_rate",
        "deferral_rate",
        "delayed_rate",
        "complaint_rate",
        "tls_rate",
        "p50",
        "p90",
        "p95",
        "p99",
        "slowest",
    ],
    str,
]
"""What is counted of records."""


class Reports:
    """The reports of pmtaq."""

    def bounce_reasons(
        self,
        *,
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
        """Why recipients bounced.

        Bounced recipients by class, category and enhanced code, most frequent first, each with the
        number of providers that said so and the most frequent reply. Synchronous bounces (b
        records); `remote-bounces` has the asynchronous ones. What an operator deleted (class
        administrative) has lines of its own, and is in no share.

        Args:
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("bounce-reasons", locals())

    def compare(
        self,
        *,
        a: str = "yesterday",
        b: str = "today",
        by: Dimension = "provider",
        metric: Metric = "bounce_rate",
        top: int | None = None,
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
        """Two windows side by side.

        A metric in two windows, by any dimension, the most significant change first; `(all)` is the
        whole. A window is a day (yesterday, monday, 2026-03-01), the time up to now (2h), or two
        moments (2026-03-01T10:00..2026-03-01T12:00). `change` of a rate is in percent of `a`; so is
        that of a count, brought to the same length of window. `z` of a rate is the two-proportion
        z-test with pooled variance, of a count the conditional Poisson test (C-test); of sizes and
        times there is none. `significance` is * from 1.96 (a change that chance makes in 5 of 100
        rows), ** from 2.58 (1 of 100), *** from 3.29 (1 of 1,000), and `few` where fewer than 5
        would be expected. Mail comes in jobs, so counts vary more than chance alone: take a star on
        a count for a hint. `a_total` and `b_total` stand below the rate; beside a count they are
        that of all groups, beside a time or a size the deliveries. Times of fewer than 20
        deliveries stand last.

        Args:
            a: The window to compare with.
            b: The window to compare.
            by: Group by.
            metric: What to compare.
            top: Rows to show, 0 for all.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("compare", locals())

    def complaints(
        self,
        *,
        by: Dimension = "provider",
        back: str = "7d",
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
        """Complaints from feedback loops.

        Complaints (f records), their rate over accepted recipients, and the lead time from delivery
        to complaint. Accepted are the deliveries of the window less its asynchronous bounces; a
        complaint counts in the window in which it came, whenever its message was delivered. The
        rate of a group without any complaint is empty: many receivers have no feedback loop. A
        complaint says little of its message, so it is matched to the latest delivery before it, up
        to `--back` before the window: by envelope identifier, else by recipient and sender.
        `matched` says how many were found; only these have a VirtualMTA, a pool, a job and a lead
        time.

        Args:
            by: Count by.
            back: How far before the window to look for deliveries.
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("complaints", locals())

    def deferrals(
        self,
        *,
        by: Dimension = "template",
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
        """Why recipients were deferred.

        Failed attempts that will be retried, by the receiver's reply with the variable parts
        masked, most frequent first. A deferral is an attempt: `recipients` says how many recipients
        were meant, and `queues` how many attempts failed for a whole queue, which has none.

        Args:
            by: Count by.
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("deferrals", locals())

    def domains(
        self,
        *,
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
        """Recipient domains.

        Recipient domains: sent, delivered, bounced and deferred recipients and how fast they were
        delivered, by the recipients sent.

        Args:
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("domains", locals())

    def hygiene(
        self,
        *,
        by: Dimension = "job_id",
        addresses: bool = False,
        back: str = "30d",
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
        """Unknown users and dead addresses, by job and provider.

        How many recipients of each job the provider did not know, and how many were dead before and
        were mailed all the same: a list that nobody cleans. Sent are the recipients that were
        finished in the window: delivered, or bounced synchronously. Unknown users are those whose
        reply says that the mailbox does not exist or is closed (docs/replies.md). A recipient was
        dead when such a bounce of the address, synchronous or not, in whatever job, was logged
        before this message was queued, up to `--back` before the window. Addresses without their
        local part are left out of that. `--addresses` lists them.

        Args:
            by: Count by this and the provider.
            addresses: List the dead addresses that were mailed again.
            back: How far before the window to look for such bounces.
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("hygiene", locals())

    def ips(
        self,
        *,
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
        """Source addresses.

        Source addresses: sent, delivered, bounced and deferred recipients and how fast they were
        delivered, by the recipients sent.

        Args:
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("ips", locals())

    def job(
        self,
        id: str,
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
        filter: Values | None = None,
        where: str | None = None,
    ) -> Answer:
        """Scorecard of a job.

        What became of a job: injected, delivered, bounced by class, unknown users, complaints, how
        long until half, nine in ten and 99 in 100 of those delivered were delivered, and the
        provider that bounced the largest share (of 20 recipients or more). `waiting` is what was
        injected and has not left yet, or not within the window; what an operator deleted or flushed
        does not wait, and is no bounce. `after` counts from the first recipient queued.
        Asynchronous bounces and complaints count for the job that their record names; where it
        names none, for that of the latest delivery before them with their envelope identifier, else
        with their sender and recipient.

        Args:
            id: The job, * for any text.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("job", locals(), "id")

    def jobs(
        self,
        *,
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
        """Jobs.

        What became of each job, the largest first: recipients sent, bounced, unknown and delivered
        how fast. It began when its first recipient was queued. Asynchronous bounces count for the
        job that their record names, else for that of their delivery, as in `pmtaq job`.

        Args:
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("jobs", locals())

    def latency(
        self,
        *,
        by: Dimension = "provider",
        top: int | None = None,
        slow_first: bool = False,
        histogram: bool = False,
        fastest: bool = False,
        first_attempt: bool = False,
        at: When | None = None,
        around: str = "5m",
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
        """How long deliveries took.

        How long deliveries took: How long deliveries took, from queueing to delivery: percentiles,
        the largest groups first. --histogram counts deliveries by the time they took; --fastest
        tells the longest and the mean time of the fastest half, 60 % and so on. --first-attempt
        splits the time: until the first attempt (`wait_`) it is our own, after it (`after_`) the
        receiver's. --at tells how long what was delivered around a moment had taken (--around says
        how near), how many recipients waited at that moment, and how long the first of them had;
        what leaves after the window, or has not left yet, is not seen.

        Args:
            by: Group by.
            top: Rows to show, 0 for all.
            slow_first: The largest p95 first (of 20 deliveries or more), not the largest groups.
            histogram: Count deliveries by the time they took.
            fastest: The longest and mean time of the fastest half, 60 % and so on.
            first_attempt: Split the time at the first attempt.
            at: The moment to look at: 14:47, 2026-03-02T14:47.
            around: How long before and after the moment deliveries count.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("latency", locals())

    def misfiled(
        self,
        *,
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
        """Bounces whose category and reply disagree.

        How many bounces PMTA filed under a category that the reply itself does not bear out: dead
        mailboxes that are no hard bounces by their category, and hard bounces by category whose
        reply blames something else, or says that the mailbox is not dead, or was to another message
        of a queue that was bounced as a whole. Suppression goes by the reply; lines of
        `bounce-category-patterns` set the category right.

        Args:
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("misfiled", locals())

    def new_replies(
        self,
        *,
        back: str = "30d",
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
        """Replies never seen before.

        Replies of bounces and deferrals in the window (b, t, tq and rb records), with the variable
        parts masked, that nobody gave in the time before it: up to `--back` before the window, and
        no further, so that the cost has a bound. `before` is how far back there was a record to
        compare with: 0 means that nothing was, and everything is new. Without `--since` the window
        is the last day of the data. Filters choose whose replies count, before the window too: with
        `--provider yahoo` a reply is new that Yahoo never gave.

        Args:
            back: How far before the window to look.
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("new-replies", locals())

    def pools(
        self,
        *,
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
        """VirtualMTA pools.

        VirtualMTA pools: sent, delivered, bounced and deferred recipients and how fast they were
        delivered, by the recipients sent.

        Args:
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("pools", locals())

    def providers(
        self,
        *,
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
        """Mailbox providers.

        Mailbox providers: sent, delivered, bounced and deferred recipients and how fast they were
        delivered, by the recipients sent.

        Args:
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("providers", locals())

    def queue(
        self,
        *,
        step: str = "1h",
        horizon: str = "1d",
        at: When | None = None,
        by: Dimension = "rcpt_domain",
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
        """Depth and age of the queue.

        How many recipients waited in the queue, rebuilt from the times of the records: each stands
        in it from its time of queueing until its delivery or bounce was logged. `depth` and
        `oldest`, the age of the one that waited longest, are those at the end of each step;
        `queued` came and `finished` left in the step, of which an operator `deleted` some; `peak`
        is the highest depth at its begin or at the end of any minute of it. Recipients that never
        finished are known from their deferrals (t), and from receptions (r) without any other
        record; a filter that r records do not pass, such as `--ip`, leaves the latter out. What
        happened up to `--horizon` before and behind the window is read too. `completeness` is
        `uncertain` in steps so near the end of the data that some who were waiting then have left
        no record yet: nearer than the time in which 99 in 100 get their first one (their first
        deferral; without t records, their delivery or bounce). With r records there is no such
        edge. The begin is exact: who was waiting then is known from what was logged later. `--at`
        shows the queue as it was at a moment, by recipient domain, VirtualMTA, job or any other
        dimension: how many recipients waited, how many of them untried, since when and how long the
        first of them, how often the others had been deferred, and the latest reply. What is known
        of now is the queue at the newest record. A recipient counts by what its delivery, bounce or
        deferral says, else by its reception, which knows no address, and the provider by its domain
        alone.

        Args:
            step: Length of the steps.
            horizon: How far around the window to look.
            at: Show the queue at this moment: now, 14:47, 2026-03-02T14:47.
            by: With --at, count by.
            top: With --at, rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("queue", locals())

    def rates(
        self,
        *,
        by: Dimension = "host",
        top: int | None = None,
        bytes: bool = False,
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
        """Highest rates.

        Highest rates: The minute, the five minutes and the hour in which the most recipients were
        sent (delivered or bounced), for each group; with --bytes, in which the most bytes were
        delivered. These are any sixty seconds, not those of the clock: `since` is when they began.

        Args:
            by: Group by.
            top: Groups to show, those with the most, 0 for all.
            bytes: By the volume instead of the recipients.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("rates", locals())

    def rejects(
        self,
        *,
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
        """Refused lines.

        Lines that ingest refused, the latest first, with the place in their file and the reason.
        The window is that of the ingestion.

        Args:
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("rejects", locals())

    def remote_bounces(
        self,
        *,
        by: Dimension = "template",
        back: str = "7d",
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
        """Asynchronous bounces.

        Asynchronous (out-of-band, remote) bounces, rb records: the receiver accepted the message
        and returned it later. By reply, with the variable parts masked, or by any other dimension;
        `median_lead` is the time from delivery to return. An rb record names no VirtualMTA, pool or
        job, so it is matched to the latest delivery before it, up to `--back` before the window: by
        envelope identifier, else by recipient and sender. `matched` says how many were found; only
        these have a lead time.

        Args:
            by: Count by.
            back: How far before the window to look for deliveries.
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("remote-bounces", locals())

    def retries(
        self,
        *,
        horizon: str = "1d",
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
        """Gaps between attempts, and what the next attempt brought.

        How long PMTA waited after a deferral before it tried again, and what came of that retry:
        delivered, deferred again, bounced. Of the rows with many retries the one with the best
        success says how long to wait; `same_reply` counts the retries that got the very reply of
        the attempt before. A retry is a t, d or b record that follows a t record of the same
        recipient: the same recipient, envelope identifier (without one the sender) and time of
        queueing. It counts when it lies in the window; the attempt before it is looked for up to
        `--horizon` before. Bounces by PMTA itself (expired, deleted, of a whole queue) are no
        attempts and do not count, nor do attempts of whole queues (tq), which name no recipient.

        Args:
            horizon: How far before the window to look for the attempt before.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("retries", locals())

    def senders(
        self,
        *,
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
        """Sender domains.

        Sender domains: sent, delivered, bounced and deferred recipients and how fast they were
        delivered, by the recipients sent.

        Args:
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("senders", locals())

    def sizes(
        self,
        *,
        by: Dimension | None = None,
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
        """Sizes of what was delivered.

        Delivered recipients and their volume by the size of the message, and how long they took;
        with --by, the sizes of each group, the largest volume first. A message to several
        recipients counts once for each.

        Args:
            by: Group by this instead of by size.
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("sizes", locals())

    def stats_bounce_categories(
        self,
        *,
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
        """Bounce categories, the most frequent first.

        Bounced recipients by category, and how many of them got a permanent (5.X.X) or a transient
        (4.X.X) status. The detail of one category: `pmtaq top-bounces --category NAME`, also with
        `--by domain`.

        Args:
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("stats bounce-categories", locals())

    def stats_delivery_times(
        self,
        *,
        by: Dimension = "provider",
        top: int | None = None,
        slow_first: bool = False,
        fastest: bool = False,
        first_attempt: bool = False,
        at: When | None = None,
        around: str = "5m",
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
        """Delivery times, and the recipients delivered in each.

        Delivery times, and the recipients delivered in each: How long deliveries took, from
        queueing to delivery: percentiles, the largest groups first. --histogram counts deliveries
        by the time they took; --fastest tells the longest and the mean time of the fastest half, 60
        % and so on. --first-attempt splits the time: until the first attempt (`wait_`) it is our
        own, after it (`after_`) the receiver's. --at tells how long what was delivered around a
        moment had taken (--around says how near), how many recipients waited at that moment, and
        how long the first of them had; what leaves after the window, or has not left yet, is not
        seen.

        Args:
            by: Group by.
            top: Rows to show, 0 for all.
            slow_first: The largest p95 first (of 20 deliveries or more), not the largest groups.
            fastest: The longest and mean time of the fastest half, 60 % and so on.
            first_attempt: Split the time at the first attempt.
            at: The moment to look at: 14:47, 2026-03-02T14:47.
            around: How long before and after the moment deliveries count.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("stats delivery-times", locals())

    def stats_just_delivery_times(
        self,
        *,
        by: Dimension = "provider",
        top: int | None = None,
        slow_first: bool = False,
        histogram: bool = False,
        first_attempt: bool = False,
        at: When | None = None,
        around: str = "5m",
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
        """Delivery times of the fastest recipients.

        Delivery times of the fastest recipients: How long deliveries took, from queueing to
        delivery: percentiles, the largest groups first. --histogram counts deliveries by the time
        they took; --fastest tells the longest and the mean time of the fastest half, 60 % and so
        on. --first-attempt splits the time: until the first attempt (`wait_`) it is our own, after
        it (`after_`) the receiver's. --at tells how long what was delivered around a moment had
        taken (--around says how near), how many recipients waited at that moment, and how long the
        first of them had; what leaves after the window, or has not left yet, is not seen.

        Args:
            by: Group by.
            top: Rows to show, 0 for all.
            slow_first: The largest p95 first (of 20 deliveries or more), not the largest groups.
            histogram: Count deliveries by the time they took.
            first_attempt: Split the time at the first attempt.
            at: The moment to look at: 14:47, 2026-03-02T14:47.
            around: How long before and after the moment deliveries count.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("stats just-delivery-times", locals())

    def stats_message_counts(
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
        filter: Values | None = None,
        where: str | None = None,
    ) -> Answer:
        """Recipients and volume of deliveries and bounces.

        Recipients, volume and sizes of what was delivered and of what bounced. Volume and sizes are
        those of records with a size; PMTA writes none for many bounces.

        Args:
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("stats message-counts", locals())

    def stats_top_bounce(
        self,
        *,
        top: int | None = None,
        reasons: int = 3,
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
        """Domains with the most bounces, and why.

        The recipient domains with the most bounces: how many got a permanent (5.X.X) or a transient
        (4.X.X) status, and the most frequent replies of each (--reasons).

        Args:
            top: Domains to show, 0 for all.
            reasons: Replies to show for each domain, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("stats top-bounce", locals())

    def stats_top_domains(
        self,
        *,
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
        """Domains with the most recipients.

        Domains with the most recipients: sent, delivered, bounced and deferred recipients and how
        fast they were delivered, by the recipients sent.

        Args:
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("stats top-domains", locals())

    def stats_top_rates(
        self,
        *,
        top: int | None = None,
        bytes: bool = False,
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
        """Data transfer and recipient rates over time.

        Data transfer and recipient rates over time: The minute, the five minutes and the hour in
        which the most recipients were sent (delivered or bounced), for each group; with --bytes, in
        which the most bytes were delivered. These are any sixty seconds, not those of the clock:
        `since` is when they began.

        Args:
            top: Groups to show, those with the most, 0 for all.
            bytes: By the volume instead of the recipients.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("stats top-rates", locals())

    def stats_vmta_summary(
        self,
        *,
        top: int | None = None,
        by_date: bool = False,
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
        """Traffic of each VirtualMTA and address.

        Recipients sent, delivered and bounced by VirtualMTA and source address, the most first;
        with --by-date, by day too. Asynchronous bounces have no VirtualMTA and do not count.

        Args:
            top: Rows to show, 0 for all.
            by_date: A row for each day.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("stats vmta-summary", locals())

    def stats_vmta_time_breakdown(
        self,
        *,
        per: Literal["hour", "day"] = "hour",
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
        """Recipients and bounces of each VirtualMTA by hour and day.

        Recipients sent, delivered and bounced by VirtualMTA and source address in each hour or day
        of the local clock that has any. --vmta names one. Asynchronous bounces have no VirtualMTA
        and do not count.

        Args:
            per: Length of the steps.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("stats vmta-time-breakdown", locals())

    def stats_vmta_top_bounce(
        self,
        *,
        top: int | None = None,
        by_date: bool = False,
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
        """Domains with the most bounces of each VirtualMTA.

        For each VirtualMTA and source address, the recipient domains with the most bounces. --vmta
        names one; with --by-date, for each day too. Asynchronous bounces have no VirtualMTA and do
        not count.

        Args:
            top: Domains to show for each VirtualMTA, 0 for all.
            by_date: For each day.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("stats vmta-top-bounce", locals())

    def suppress(
        self,
        *,
        class_: Literal["hard", "soft"] = "hard",
        least: int = 1,
        horizon: str = "30d",
        explain: bool = False,
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
        """Addresses to suppress.

        Addresses whose mailbox is dead, by bounces, synchronous or asynchronous, each with its
        reason, ready to be imported: `pmtaq suppress --format csv -o suppress.csv`. A mailbox is
        dead when the reply says that it does not exist or is closed, or that its domain takes no
        mail, and its code is a permanent one; whatever category PMTA filed it under. With `--class
        soft` those that are full or closed for a while. Never a reply that blames the sender, our
        address, the content, a policy or the receiver, so neither a message that expired after
        throttling; and none that was bounced with its whole queue (`bounce-queue`), since the reply
        was to another. An address that took a delivery after its last such bounce is left out
        (looked for up to `--horizon` behind the window), and so is one without its local part.
        Filters choose the bounces; a delivery to the address counts from whomever. `--explain`
        lists the addresses with a bounce of that class by their category that are held back, and
        why.

        Args:
            class_: Dead mailboxes, or those that take nothing for now.
            least: Bounces that an address must have.
            horizon: How far behind the window to look for deliveries.
            explain: List what is held back, and why.
            top: Addresses to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("suppress", locals())

    def survival(
        self,
        *,
        by: Dimension = "provider",
        horizon: str = "1d",
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
        """What became of deferred recipients.

        Of the recipients whose first deferral lies in the window: how many were delivered within 5
        minutes, 1, 6 and 24 hours of it, how many bounced, how many an operator deleted, how many
        are still queued. The shares are cumulative and of all these recipients, those still queued
        included; so they are too low where the data end less than a day behind the window. A
        recipient is the same in several records when recipient, envelope identifier (without one
        the sender) and time of queueing agree. What happened up to `--horizon` before and behind
        the window is read to find the first deferral and the end. Deferrals of a whole queue (tq)
        name no recipient and do not count.

        Args:
            by: Count by.
            horizon: How far around the window to look.
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("survival", locals())

    def throttles(
        self,
        *,
        share: int = 20,
        least: int = 5,
        step: str = "5m",
        gap: str = "1h",
        horizon: str = "1d",
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
        """Throttle episodes.

        When a provider deferred one of our addresses with one reply: onset, how long, whether
        ongoing, the worst share, how many recipients it delayed and by how much in all. Ongoing
        ones come first, and of these and the others those that delayed the most recipients. Only
        replies count: where no server answered at all, nobody throttles. A step of time is hot when
        the reply was the answer to at least `--share` percent of the attempts from this address to
        this provider. An episode is a run of hot steps with at least `--least` deferrals; it goes
        on from one hot step to the next when no more than `--gap` lies between their deferrals and,
        all steps between counted, that reply was still the answer to `--share` percent of the
        attempts. It is ongoing when less than the gap lies between its last deferral and the end of
        the window, or of the data. Attempts are d, t and tq records, and b records where a receiver
        was reached. `peak_share` is the share in the step with the most deferrals, of its
        `peak_attempts`. `delayed` counts recipients (t records; a tq record has none),
        `total_delay` is the sum of their waits from their first deferral in the episode to their
        delivery or bounce, or to the end of the data, up to `--horizon` behind the window. Who was
        deferred in two episodes counts in both.

        Args:
            share: Percent of the attempts that make a step hot.
            least: Deferrals that make an episode.
            step: Length of a step.
            gap: Time without a hot step that ends an episode.
            horizon: How far behind the window to look for deliveries.
            top: Episodes to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("throttles", locals())

    def tls(
        self,
        *,
        by: Dimension | None = None,
        weak: bool = False,
        downgrades: bool = False,
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
        """Encryption of deliveries.

        Deliveries by TLS protocol and cipher, those in plaintext among them; with `--by day`, `--by
        provider` or any other dimension the shares of each protocol, and with `--downgrades` the
        domains whose servers once took a better protocol than later. Deliveries by SMTP (d records;
        not those to a pipe, a file or discard). Weak is: plaintext; an old protocol (SSL, TLS 1.0,
        TLS 1.1); a broken cipher (RC4, DES, 3DES, NULL, export, MD5, anonymous); no forward secrecy
        (TLS 1.2 without an ephemeral key). A downgrade is a delivery to a domain and MX by a lower
        protocol than one before it in the window.

        Args:
            by: Count by this instead of protocol and cipher.
            weak: Only what is weak.
            downgrades: Show downgrades.
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("tls", locals())

    def top_bounces(
        self,
        *,
        by: Dimension = "template",
        examples: int | None = None,
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
        """Most frequent bounces.

        Bounced recipients by the receiver's reply, with the variable parts masked, or by any other
        dimension; most frequent first. Synchronous bounces (b records); `remote-bounces` has the
        asynchronous ones. `previous` counts the same line in the window of equal length just
        before; it is empty without `--since`, and where nothing at all was logged then. What an
        operator deleted has a line of its own, and is in no share.

        Args:
            by: Count by.
            examples: Show so many raw replies of each line, the latest first.
            top: Lines to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("top-bounces", locals())

    def vmtas(
        self,
        *,
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
        """VirtualMTAs.

        VirtualMTAs: sent, delivered, bounced and deferred recipients and how fast they were
        delivered, by the recipients sent.

        Args:
            top: Rows to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("vmtas", locals())

    def volume(
        self,
        *,
        per: Literal["hour", "day"] = "hour",
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
        """Volume over time.

        Recipients injected, delivered, bounced and deferred in each hour or day of the local clock.
        The hour that comes twice in autumn has two rows, told apart by their offset from UTC.

        Args:
            per: Length of the steps.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("volume", locals())

    def warmup(
        self,
        *,
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
        """Volume and reputation of each address, day by day.

        For each of our addresses and each provider, day by day of the local clock: recipients sent,
        those of the `before` day that had any, and how the provider took it: bounced, blocked,
        deferred. Sent are recipients that were finished from this address: delivered, or bounced
        synchronously by a receiver; what bounced without an attempt names no address and does not
        count. `--top` chooses the pairs of address and provider with the most recipients.

        Args:
            top: Pairs of address and provider to show, 0 for all.
            since: Begin of the window.
            until: End of the window, not included.
            last: The window up to now, such as `2h`.
            domain: Recipient domain, also as *.example.com.
            provider: Mailbox provider.
            vmta: VirtualMTA.
            pool: VirtualMTA pool.
            ip: Source address of the delivery.
            sender: Sender domain.
            job: Job.
            host: MTA that wrote the record.
            category: Bounce category.
            code: Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*.
            filter: Any dimension and its value, such as `header_X-Campaign=spring*`.
            where: A condition in SQL over the columns of `records`.
        """
        return self._report("warmup", locals())

    def _report(self, name: str, given: Mapping[str, Any], *places: str) -> Answer:
        raise NotImplementedError
