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
with counted as (
    -- How many took how long, in place of all times.
    select
        case
            when dlv_size < 10000 then 1 when dlv_size < 25000 then 2 when dlv_size < 50000 then 3
            when dlv_size < 100000 then 4 when dlv_size < 250000 then 5 when dlv_size < 500000 then 6
            when dlv_size < 1000000 then 7 when dlv_size < 5000000 then 8 when dlv_size < 10000000 then 9
            else 10
        end as step,
        epoch(time_logged - time_queued) as latency,
        count(*) as n,
        sum(dlv_size) as bytes
    from deliveries
    where dlv_size is not null
    group by all
),
sized as (
    select step, sum(n)::bigint as delivered, sum(bytes)::bigint as bytes from counted group by step
),
timed as (
    -- As `p50()` and `p95()` of all of them: between the two that are next to that place.
    select
        step,
        min(latency) filter (so_far > floor(middle)) as low,
        min(latency) filter (so_far > ceil(middle)) as high,
        any_value(middle - floor(middle)) as beyond,
        min(latency) filter (so_far > floor(late)) as late_low,
        min(latency) filter (so_far > ceil(late)) as late_high,
        any_value(late - floor(late)) as late_beyond
    from (
        select
            step,
            latency,
            sum(n) over (partition by step order by latency) as so_far,
            (sum(n) over (partition by step) - 1)::double * 0.5::double as middle,
            (sum(n) over (partition by step) - 1)::double * 0.95::double as late
        from counted
        where latency is not null
    )
    group by step
)
select
    ['below 10 kB', '10 to 25 kB', '25 to 50 kB', '50 to 100 kB', '100 to 250 kB', '250 to 500 kB',
        '0.5 to 1 MB', '1 to 5 MB', '5 to 10 MB', '10 MB and more'][step] as size,
    delivered,
    sum(delivered) over ()::bigint as total,
    100.0 * delivered / sum(delivered) over () as share,
    case when $known_bytes then bytes end as bytes,
    case when $known_p50 then round(low + (high - low) * beyond, 6) end as p50,
    case when $known_p95 then round(late_low + (late_high - late_low) * late_beyond, 6) end as p95
from sized left join timed using (step)
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
