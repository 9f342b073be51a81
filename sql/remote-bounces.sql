-- name: remote-bounces
-- title: Asynchronous bounces
-- help: Asynchronous (out-of-band, remote) bounces, rb records: the receiver accepted the message and returned it later. By reply, with the variable parts masked, or by any other dimension; `median_lead` is the time from delivery to return.
-- help: An rb record names no VirtualMTA, pool or job, so it is matched to the latest delivery before it, up to `--back` before the window: by envelope identifier, else by recipient and sender. `matched` says how many were found; only these have a lead time.
-- needs: rb
-- uses: d, env_id
-- reach: before back
-- param: by dimension = template  Count by
-- param: back duration = 7d  How far before the window to look for deliveries
-- param: top int = 20  Rows to show, 0 for all
-- column: bounces count
-- column: share percent of total
-- column: total count
-- column: hard count
-- column: matched count
-- column: median_lead seconds
-- column: last_seen time
-- matched: rb, f
-- chart: bars by bounces
-- see: top-bounces, hygiene, complaints
select
    coalesce(by(), '(none)') as "by",
    count(*) as bounces,
    100.0 * count(*) / sum(count(*)) over () as share,
    sum(count(*)) over ()::bigint as total,
    hard() as hard,
    count(delivered_at) as matched,
    median(epoch(time_logged - delivered_at)) as median_lead,
    max(time_logged) as last_seen
from returns
-- In one expression with the record type, so that the engine reads no time of others before.
where rec = 'rb' and case when rec = 'rb' then time_logged >= $since end
group by by()
order by bounces desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top end
