-- name: compare
-- title: Two windows side by side
-- help: A metric in two windows, by any dimension, the most significant change first; `(all)` is the whole. A window is a day (yesterday, monday, 2026-03-01), the time up to now (2h), or two moments (2026-03-01T10:00..2026-03-01T12:00).
-- help: `change` of a rate is in percent of `a`; so is that of a count, brought to the same length of window. `z` of a rate is the two-proportion z-test with pooled variance, of a count the conditional Poisson test (C-test); of sizes and times there is none. `significance` is * from 1.96 (a change that chance makes in 5 of 100 rows), ** from 2.58 (1 of 100), *** from 3.29 (1 of 1,000), and `few` where fewer than 5 would be expected. Mail comes in jobs, so counts vary more than chance alone: take a star on a count for a hint.
-- help: `a_total` and `b_total` stand below the rate; beside a count they are that of all groups, beside a time or a size the deliveries. Times of fewer than 20 deliveries stand last.
-- needs: d, b
-- param: a window = yesterday  The window to compare with
-- param: b window = today  The window to compare
-- param: by dimension = provider  Group by
-- param: metric metric = bounce_rate  What to compare
-- param: top int = 20  Rows to show, 0 for all
-- column: a metric
-- column: a_total count
-- column: b metric
-- column: b_total count
-- column: change percent
-- chart: bars by z
-- see: latency, volume
with a as (
    select by() as k, grouping(by()) as whole, metric() as value, metric_base() as base
    from records
    where time_logged >= $a_since and time_logged < $a_until
    group by rollup (by())
    having count(*) > 0
),
b as (
    select by() as k, grouping(by()) as whole, metric() as value, metric_base() as base
    from records
    where time_logged >= $b_since and time_logged < $b_until
    group by rollup (by())
    having count(*) > 0
),
paired as (
    select
        coalesce(a.whole, b.whole) as whole,
        coalesce(a.k, b.k) as k,
        case when metric_unit() in ('count', 'bytes') then coalesce(a.value, 0) else a.value end as a,
        case when metric_unit() in ('count', 'bytes') then coalesce(b.value, 0) else b.value end as b,
        coalesce(case metric_unit() when 'count' then max(a.value) over () else a.base end, 0)::bigint as a_total,
        coalesce(case metric_unit() when 'count' then max(b.value) over () else b.base end, 0)::bigint as b_total
    from a full join b on a.whole = b.whole and a.k is not distinct from b.k
),
lengths as (
    select epoch($a_until::timestamp - $a_since::timestamp) as a_s, epoch($b_until::timestamp - $b_since::timestamp) as b_s
),
tested as (
    -- The share of the denominators, or of the time, that b has; and what was counted in both.
    select
        *,
        case metric_unit() when 'percent' then b_total / nullif(a_total + b_total, 0) else b_s / (a_s + b_s) end as share,
        case metric_unit()
            when 'percent' then (coalesce(a, 0) * a_total + coalesce(b, 0) * b_total) / 100
            when 'count' then a + b
        end as counted
    from paired, lengths
),
scored as (
    select
        *,
        counted * least(share, 1 - share) as expected,
        case metric_unit()
            when 'percent' then
                (b - a) / 100 / sqrt(nullif(greatest(counted / (a_total + b_total) * (1 - counted / (a_total + b_total)) * (1.0 / nullif(a_total, 0) + 1.0 / nullif(b_total, 0)), 0), 0))
            when 'count' then (b - counted * share) / sqrt(nullif(counted * share * (1 - share), 0))
        end as z
    from tested
)
select
    case when whole = 1 then '(all)' else coalesce(k, '(none)') end as "by",
    a,
    a_total,
    b,
    b_total,
    case metric_unit()
        when 'count' then 100.0 * b * (1 - share) / nullif(a * share, 0) - 100
        when 'bytes' then 100.0 * b * (1 - share) / nullif(a * share, 0) - 100
        else 100.0 * b / nullif(a, 0) - 100
    end as change,
    round(z, 2) as z,
    case
        when z is null then ''
        when expected < 5 then 'few'
        when abs(z) >= 3.29 then '***'
        when abs(z) >= 2.58 then '**'
        when abs(z) >= 1.96 then '*'
        else ''
    end as significance
from scored
where a > 0 or b > 0
order by whole desc, expected < 5, metric_unit() = 'seconds' and least(a_total, b_total) < 20, abs(z) desc nulls last, coalesce(b, 0) + coalesce(a, 0) desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top + 1 end
