-- name: survival
-- title: What became of deferred recipients
-- help: Of the recipients whose first deferral lies in the window: how many were delivered within 5 minutes, 1, 6 and 24 hours of it, how many bounced, how many an operator deleted, how many are still queued.
-- help: The shares are cumulative and of all these recipients, those still queued included; so they are too low where the data end less than a day behind the window. A recipient is the same in several records when recipient, envelope identifier (without one the sender) and time of queueing agree. What happened up to `--horizon` before and behind the window is read to find the first deferral and the end. Deferrals of a whole queue (tq) name no recipient and do not count.
-- needs: t, d, b
-- uses: time_queued, rcpt
-- reach: around horizon
-- param: by dimension = provider  Count by
-- param: horizon duration = 1d  How far around the window to look
-- param: top int = 20  Rows to show, 0 for all
-- column: deferred count
-- column: in_5m percent of deferred
-- column: in_1h percent of deferred
-- column: in_6h percent of deferred
-- column: in_24h percent of deferred
-- column: bounced count
-- column: deleted count
-- column: still_queued count
-- column: median_wait seconds
-- chart: bars by deferred
-- see: deferrals, throttles, retries
with deferred as (
    select message_key, message(message_key, time_queued) as message, time_logged, by() as key
    from deferrals
),
cohort as (
    select message_key, message, min(time_logged) as since, arg_min(key, time_logged) as key
    from deferred
    group by message_key, message
    having min(time_logged) >= $since and min(time_logged) < $until
),
finished as (
    select message(message_key, time_queued) as message, max(time_logged) as finished, bool_or(rec = 'd') as is_delivered,
        bool_or(rec = 'b' and bounce_class = 'administrative') as is_deleted
    from records
    where (rec in ('d', 'b')) is true and message_key in (select message_key from cohort)
    group by 1
),
waits as (
    select key, finished, is_delivered, is_deleted and not is_delivered as is_deleted, epoch(finished - since) as wait
    from cohort left join finished using (message)
)
select
    coalesce(key, '(none)') as "by",
    count(*) as deferred,
    100.0 * count(*) filter (is_delivered and wait <= 300) / count(*) as in_5m,
    100.0 * count(*) filter (is_delivered and wait <= 3600) / count(*) as in_1h,
    100.0 * count(*) filter (is_delivered and wait <= 21600) / count(*) as in_6h,
    100.0 * count(*) filter (is_delivered and wait <= 86400) / count(*) as in_24h,
    count(*) filter (not is_delivered and not is_deleted) as bounced,
    count(*) filter (is_deleted) as deleted,
    count(*) filter (finished is null) as still_queued,
    median(wait) filter (is_delivered) as median_wait
from waits
group by key
order by deferred desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top end
