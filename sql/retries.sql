-- name: retries
-- title: Gaps between attempts, and what the next attempt brought
-- help: How long PMTA waited after a deferral before it tried again, and what came of that retry: delivered, deferred again, bounced. Of the rows with many retries the one with the best success says how long to wait; `same_reply` counts the retries that got the very reply of the attempt before.
-- help: A retry is a t, d or b record that follows a t record of the same recipient: the same recipient, envelope identifier (without one the sender) and time of queueing. It counts when it lies in the window; the attempt before it is looked for up to `--horizon` before. Bounces by PMTA itself (expired, deleted, of a whole queue) are no attempts and do not count, nor do attempts of whole queues (tq), which name no recipient.
-- needs: t, d
-- uses: b, time_queued, rcpt
-- reach: before horizon
-- param: horizon duration = 1d  How far before the window to look for the attempt before
-- column: retries count
-- column: share percent of total
-- column: total count
-- column: delivered count
-- column: success percent of retries
-- column: deferred count
-- column: same_reply count
-- column: same_reply_rate percent of retries
-- column: bounced count
-- chart: bars gap success
-- see: survival, deferrals, throttles
with deferred as materialized (
    select message_key, message(message_key, time_queued) as message, time_logged, hash(template) as template
    from deferrals
),
attempt as (
    select message, time_logged, 't' as rec, template
    from deferred
    union all
    -- Of deliveries, which are most, three numbers are read, and with a condition over the keys of deferrals the engine
    -- keeps a filter of these.
    select message(message_key, time_queued), time_logged, rec, null
    from records_as_ingested
    where rec = 'd' and message_key in (select message_key from deferred where time_logged is not null)
    union all
    select message(message_key, time_queued), time_logged, rec, null
    from records_as_ingested
    where rec = 'b' and reached_receiver(rec, dlv_destination_ip, dsn_mta, bounce_origin, smtp_code)
        and message_key in (select message_key from deferred where time_logged is not null)
),
followed as (
    select
        *,
        lag(rec) over same as rec_before,
        lag(template) over same as template_before,
        epoch(time_logged - lag(time_logged) over same) as gap
    from attempt semi join (select distinct message from deferred) deferred using (message)
    window same as (partition by message order by time_logged, rec <> 't')
),
retries as (
    select *, list_position(list_transform([300, 600, 900, 1200, 1800, 3600, 7200, 14400, 28800], lambda limit_s: gap < limit_s), true) as bin
    from followed
    where rec_before = 't' and time_logged >= $since and time_logged < $until
)
select
    ['under 5 min', '5 to 10 min', '10 to 15 min', '15 to 20 min', '20 to 30 min', '30 to 60 min', '1 to 2 h', '2 to 4 h', '4 to 8 h', '8 h and more'][coalesce(bin, 10)] as gap,
    count(*) as retries,
    100.0 * count(*) / sum(count(*)) over () as share,
    sum(count(*)) over ()::bigint as total,
    count(*) filter (rec = 'd') as delivered,
    100.0 * count(*) filter (rec = 'd') / count(*) as success,
    count(*) filter (rec = 't') as deferred,
    count(*) filter (rec = 't' and template = template_before) as same_reply,
    100.0 * count(*) filter (rec = 't' and template = template_before) / count(*) as same_reply_rate,
    count(*) filter (rec = 'b') as bounced
from retries
group by bin
order by coalesce(bin, 10)
