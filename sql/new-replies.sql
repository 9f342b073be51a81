-- name: new-replies
-- title: Replies never seen before
-- help: Replies of bounces and deferrals in the window (b, t, tq and rb records), with the variable parts masked, that nobody gave in the time before it: up to `--back` before the window, and no further, so that the cost has a bound.
-- help: `before` is how far back there was a record to compare with: 0 means that nothing was, and everything is new. Without `--since` the window is the last day of the data. Filters choose whose replies count, before the window too: with `--provider yahoo` a reply is new that Yahoo never gave.
-- needs: b
-- uses: t, tq, rb
-- window: 1d
-- reach: before back
-- param: back duration = 30d  How far before the window to look
-- param: top int = 20  Rows to show, 0 for all
-- column: replies count
-- column: deferred count
-- column: bounced count
-- column: first_seen time
-- column: before seconds
-- chart: bars template replies
-- see: top-bounces, deferrals, throttles
with data as (
    -- In place of the least: the engine leaves out what is later than the first that it found.
    select time_logged as began from records_as_ingested order by time_logged limit 1
),
seen as (
    select
        template,
        coalesce(provider, '(none)') as provider,
        count(*) as replies,
        count(*) filter (rec in ('t', 'tq')) as deferred,
        count(*) filter (rec in ('b', 'rb')) as bounced,
        min(time_logged) as first_seen
    from records
    where (rec in ('b', 't', 'tq', 'rb')) is true and template is not null
    group by all
)
select
    template,
    sum(replies)::bigint as replies,
    sum(deferred)::bigint as deferred,
    sum(bounced)::bigint as bounced,
    first(provider order by seen.replies desc, provider) || case when count(*) > 1 then ' +' || (count(*) - 1) else '' end as provider,
    min(first_seen) as first_seen,
    greatest(epoch($since::timestamp - began), 0)::bigint as before
from seen, data
group by template, began
having min(first_seen) >= $since
order by replies desc, first_seen, template
limit case when $top = 0 then 9223372036854775807 else $top end
