-- name: deferrals
-- title: Why recipients were deferred
-- help: Failed attempts that will be retried, by the receiver's reply with the variable parts masked, most frequent first.
-- help: A deferral is an attempt: `recipients` says how many recipients were meant, and `queues` how many attempts failed for a whole queue, which has none.
-- needs: t
-- uses: tq
-- param: by dimension = template  Count by
-- param: top int = 20  Rows to show, 0 for all
-- column: deferred count
-- column: share percent of total
-- column: total count
-- column: recipients count
-- column: queues count
-- column: last_seen time
-- chart: bars by deferred
-- see: latency, top-bounces
select
    coalesce(by(), '(none)') as "by",
    deferred() as deferred,
    100.0 * deferred() / sum(deferred()) over () as share,
    sum(deferred()) over ()::bigint as total,
    delayed() as recipients,
    count(*) filter (rec = 'tq') as queues,
    max(time_logged) as last_seen
from records
where rec in ('t', 'tq')
group by by()
order by deferred desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top end
