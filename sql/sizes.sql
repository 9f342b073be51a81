-- name: sizes
-- title: Sizes of what was delivered
-- help: Delivered recipients and their volume by the size of the message, and how long they took; with --by, the sizes of each group, the largest volume first. A message to several recipients counts once for each.
-- needs: d
-- uses: dlv_size
-- param: by dimension  Group by this instead of by size
-- param: top int = 20  Rows to show, 0 for all
-- column: delivered count
-- column: share percent of total
-- column: total count
-- column: bytes bytes
-- column: p50 seconds
-- column: p95 seconds
-- column: smallest bytes
-- column: median bytes
-- column: mean bytes
-- column: largest bytes
-- chart: bars size delivered
-- see: rates, latency
with keyed as (
    select
        case
            when dlv_size < 10000 then 1 when dlv_size < 25000 then 2 when dlv_size < 50000 then 3
            when dlv_size < 100000 then 4 when dlv_size < 250000 then 5 when dlv_size < 500000 then 6
            when dlv_size < 1000000 then 7 when dlv_size < 5000000 then 8 when dlv_size < 10000000 then 9
            else 10
        end as step,
        *
    from deliveries
    where dlv_size is not null
)
select
    ['below 10 kB', '10 to 25 kB', '25 to 50 kB', '50 to 100 kB', '100 to 250 kB', '250 to 500 kB',
        '0.5 to 1 MB', '1 to 5 MB', '5 to 10 MB', '10 MB and more'][step] as size,
    delivered() as delivered,
    sum(delivered()) over ()::bigint as total,
    100.0 * delivered() / sum(delivered()) over () as share,
    bytes() as bytes,
    p50() as p50,
    p95() as p95
from keyed
group by step
order by step

-- given: by
select
    coalesce(by(), '(none)') as "by",
    delivered() as delivered,
    bytes() as bytes,
    min(dlv_size) as smallest,
    quantile_cont(dlv_size, 0.5) as median,
    avg(dlv_size) as mean,
    max(dlv_size) as largest
from deliveries
where dlv_size is not null
group by by()
order by bytes desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top end
