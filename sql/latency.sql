-- name: latency
-- name: stats delivery-times histogram=true  Delivery times, and the recipients delivered in each
-- name: stats just-delivery-times fastest=true  Delivery times of the fastest recipients
-- title: How long deliveries took
-- help: How long deliveries took, from queueing to delivery: percentiles, the largest groups first.
-- help: --histogram counts deliveries by the time they took; --fastest tells the longest and the mean time of the fastest half, 60 % and so on.
-- help: --first-attempt splits the time: until the first attempt (`wait_`) it is our own, after it (`after_`) the receiver's. --at tells how long what was delivered around a moment had taken (--around says how near), how many recipients waited at that moment, and how long the first of them had; what leaves after the window, or has not left yet, is not seen.
-- needs: d
-- uses: b, time_first_attempt
-- param: by dimension = provider  Group by
-- param: top int = 20  Rows to show, 0 for all
-- param: slow-first flag  The largest p95 first (of 20 deliveries or more), not the largest groups
-- param: histogram flag  Count deliveries by the time they took
-- param: fastest flag  The longest and mean time of the fastest half, 60 % and so on
-- param: first-attempt flag  Split the time at the first attempt
-- param: at time  The moment to look at: 14:47, 2026-03-02T14:47
-- param: around duration = 5m  How long before and after the moment deliveries count
-- column: delivered count
-- column: p50 seconds
-- column: p90 seconds
-- column: p95 seconds
-- column: p99 seconds
-- column: slowest seconds
-- column: total count
-- column: share percent of total
-- column: cumulative percent of total
-- column: fastest text
-- column: mean seconds
-- column: longest seconds
-- column: wait_p50 seconds
-- column: wait_p95 seconds
-- column: wait_p99 seconds
-- column: after_p50 seconds
-- column: after_p95 seconds
-- column: after_p99 seconds
-- column: waiting count
-- column: waiting_since time
-- rollup: by
-- chart: bars by p95
-- see: deferrals, rates
select
    coalesce(by(), '(none)') as "by",
    delivered() as delivered,
    p50() as p50,
    p90() as p90,
    p95() as p95,
    p99() as p99,
    slowest() as slowest
from records
group by by()
having delivered() > 0
order by case when $slow_first and delivered() >= 20 then p95() end desc nulls last, delivered desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top end

-- given: histogram
with taken as (
    select epoch(time_logged - time_queued) as seconds from deliveries where time_queued is not null
),
steps as (
    select * from (values
        (0, 6, '0 to 5 s'), (6, 31, '6 to 30 s'), (31, 61, '31 to 60 s'), (61, 121, '1 to 2 min'),
        (121, 301, '2 to 5 min'), (301, 601, '5 to 10 min'), (601, 1801, '10 to 30 min'),
        (1801, 3601, '30 to 60 min'), (3601, 7201, '1 to 2 h'), (7201, 10801, '2 to 3 h'),
        (10801, 14401, '3 to 4 h'), (14401, 18001, '4 to 5 h'), (18001, 21601, '5 to 6 h'),
        (21601, 28801, '6 to 8 h'), (28801, 36001, '8 to 10 h'), (36001, 43201, '10 to 12 h'),
        (43201, null, 'over 12 h')
    ) steps (least, below, delivery_time)
),
counted as (
    select least, delivery_time, count(seconds) as delivered
    from steps left join taken on (seconds >= least or least = 0) and (below is null or seconds < below)
    group by least, delivery_time
)
select
    delivery_time,
    delivered,
    sum(delivered) over ()::bigint as total,
    100.0 * delivered / sum(delivered) over () as share,
    100.0 * sum(delivered) over (order by least) / sum(delivered) over () as cumulative,
    repeat('*', round(24.0 * delivered / sum(delivered) over ())::bigint) as bar
from counted
qualify sum(delivered) over () > 0
order by least

-- given: fastest
with taken as (
    -- Counted by the milliseconds that they took: millions of deliveries have few different times.
    select epoch_ms(time_logged) - epoch_ms(time_queued) as ms, count(*) as n
    from deliveries
    where time_queued is not null
    group by ms
),
placed as (
    select ms, n, sum(n) over (order by ms) as place, sum(n) over () as delivered from taken
),
cut as (
    -- Of each time, those whose place is among the fastest.
    select percent, ms, greatest(least(n, ceil(percent * delivered / 100.0)::bigint - (place - n)), 0) as n
    from placed, (values (50), (60), (70), (80), (90), (95), (96), (97), (98), (99), (100)) marks (percent)
)
select
    percent || ' %' as fastest,
    sum(n)::bigint as delivered,
    sum(ms * n) / 1000 / sum(n) as mean,
    max(ms) / 1000 as longest
from cut
where n > 0
group by percent
order by percent

-- given: first-attempt
with split as (
    select
        coalesce(by(), '(none)') as "by",
        epoch(time_first_attempt - time_queued) as wait,
        epoch(time_logged - time_first_attempt) as after
    from deliveries
    where time_first_attempt is not null and time_queued is not null
)
select
    "by",
    count(*) as delivered,
    quantile_cont(wait, 0.5) as wait_p50,
    quantile_cont(wait, 0.95) as wait_p95,
    quantile_cont(wait, 0.99) as wait_p99,
    quantile_cont(after, 0.5) as after_p50,
    quantile_cont(after, 0.95) as after_p95,
    quantile_cont(after, 0.99) as after_p99
from split
group by all
order by delivered desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top end

-- given: at
with keyed as (
    select
        coalesce(by(), '(none)') as k,
        rec = 'd' and abs(epoch(time_logged - $at::timestamp)) <= $around as near,
        time_queued <= $at::timestamp and time_logged > $at::timestamp as waits,
        time_queued,
        epoch(time_logged - time_queued) as seconds
    from records
    where rec in ('d', 'b')
)
select
    case when grouping(k) = 1 then '(all)' else k end as "by",
    count(*) filter (near) as delivered,
    quantile_cont(seconds, 0.5) filter (near) as p50,
    quantile_cont(seconds, 0.9) filter (near) as p90,
    quantile_cont(seconds, 0.99) filter (near) as p99,
    max(seconds) filter (near) as slowest,
    count(*) filter (waits) as waiting,
    min(time_queued) filter (waits) as waiting_since
from keyed
where near or waits
group by rollup (k)
having count(*) > 0
order by grouping(k) desc, waiting desc, delivered desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top + 1 end
