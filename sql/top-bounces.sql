-- name: top-bounces
-- title: Most frequent bounces
-- help: Bounced recipients by the receiver's reply, with the variable parts masked, or by any other dimension; most frequent first.
-- help: Synchronous bounces (b records); `remote-bounces` has the asynchronous ones. `previous` counts the same line in the window of equal length just before; it is empty without `--since`, and where nothing at all was logged then.
-- help: What an operator deleted has a line of its own, and is in no share.
-- needs: b
-- reach: previous
-- param: by dimension = template  Count by
-- param: examples int  Show so many raw replies of each line, the latest first
-- param: top int = 20  Lines to show, 0 for all
-- column: bounces count
-- column: share percent of total
-- column: total count
-- column: previous count
-- column: first_seen time
-- column: last_seen time
-- column: time time
-- chart: bars by bounces
-- see: bounce-reasons, new-replies, remote-bounces
with counted as (
    select
        by() as key,
        count(*) filter (time_logged >= $since) as bounces,
        count(*) filter (time_logged >= $since and bounce_class is distinct from 'administrative') as ended,
        count(*) filter (time_logged < $since) as previous,
        min(time_logged) filter (time_logged >= $since) as first_seen,
        max(time_logged) as last_seen
    from bounces
    group by key
)
select
    coalesce(key, '(none)') as "by",
    bounces,
    100.0 * nullif(ended, 0) / sum(ended) over () as share,
    sum(ended) over ()::bigint as total,
    case when (select count(*) > 0 from (select 1 from stored where time_logged < $since limit 1)) then previous end as previous,
    first_seen,
    last_seen
from counted
where bounces > 0
order by bounces desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top end
-- given: examples
with keyed as (
    select coalesce(by(), '(none)') as key, time_logged, rcpt, dsn_diag, dsn_status
    from bounces
    where time_logged >= $since
),
counted as (
    select key, count(*) as bounces
    from keyed
    group by key
    order by bounces desc, key
    limit case when $top = 0 then 9223372036854775807 else $top end
),
latest as (
    -- By times first: the replies of all others are not kept.
    select key, bounces, min(time_logged) as since
    from (
        select key, bounces, time_logged
        from keyed join counted using (key)
        qualify row_number() over (partition by key order by time_logged desc) <= $examples
    )
    group by key, bounces
)
select
    key as "by",
    bounces,
    time_logged as time,
    coalesce(dsn_diag, dsn_status) as reply
from keyed join latest using (key)
where time_logged >= since
qualify row_number() over (partition by key order by time_logged desc, rcpt, reply) <= $examples
order by bounces desc, key, time_logged desc, rcpt, reply
