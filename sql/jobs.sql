-- name: jobs
-- title: Jobs
-- help: What became of each job, the largest first: recipients sent, bounced, unknown and delivered how fast. It began when its first recipient was queued. Asynchronous bounces count for the job that their record names, else for that of their delivery, as in `pmtaq job`.
-- needs: d, b
-- param: top int = 20  Rows to show, 0 for all
-- column: began time
-- column: sent count
-- column: bounce_rate percent of sent
-- column: unknown_user_rate percent of sent
-- column: p95 seconds
-- groups: job_id
-- matched: rb, f
-- chart: bars job_id sent
-- see: job
with largest as materialized (
    select job_id, sum(sent)::bigint as sent
    from (
        -- By one name and with few sums, which is cheap; the rest is asked of the jobs that are shown. What was not bounced has no class.
        select job_id, sent() as sent
        from (select job_id, rec, null as bounce_class from records_as_ingested where (rec in ('r', 'd', 't')) is true)
        group by job_id
        union all
        select job_id, sent() as sent
        from bounces
        group by job_id
    )
    group by job_id
    -- With those that have as many as the last one: which of them are shown their beginnings tell.
    qualify case when $top > 0 then rank() over (order by sum(sent) desc) <= $top else true end
),
seen as materialized (
    -- How many took how long, in place of all times.
    select
        job_id,
        rec,
        case when rec = 'd' then epoch(time_logged - time_queued) end as latency,
        count(*) as n,
        count(time_queued) as queued,
        min(coalesce(time_queued, time_logged)) as began
    from records_as_ingested
    where (rec in ('r', 'd', 't', 'b')) is true and coalesce(job_id, '') in (select coalesce(job_id, '') from largest)
    group by all
),
begun as (
    select
        job_id,
        -- Not known where fewer receptions are logged than records that do not say when they were queued.
        case when coalesce(sum(n - queued) filter (rec in ('d', 'b')), 0) <= coalesce(sum(n) filter (rec = 'r'), 0) then min(began) end as began
    from seen
    group by job_id
),
timed as (
    -- As `p95()` of all of them: between the two that are next to that place.
    select
        job_id,
        min(latency) filter (so_far > floor(place)) as low,
        min(latency) filter (so_far > ceil(place)) as high,
        any_value(place - floor(place)) as beyond
    from (
        select
            job_id,
            latency,
            sum(n) over (partition by job_id order by latency) as so_far,
            (sum(n) over (partition by job_id) - 1)::double * 0.95::double as place
        from seen
        where latency is not null
    )
    group by job_id
),
lost as (
    select job_id, sum(bounced)::bigint as bounced, sum(unknown_users)::bigint as unknown_users
    from (
        select job_id, bounced(), unknown_users()
        from bounces
        where coalesce(job_id, '') in (select coalesce(job_id, '') from largest)
        group by job_id
        union all
        select job_id, bounced(), 0
        from returns
        group by job_id
    ) as counted (job_id, bounced, unknown_users)
    group by job_id
)
select
    coalesce(largest.job_id, '(none)') as job_id,
    began,
    sent,
    case when $known_bounce_rate and coalesce(bounced, 0) <= sent then 100.0 * coalesce(bounced, 0) / nullif(sent, 0) end as bounce_rate,
    case when $known_unknown_user_rate and coalesce(unknown_users, 0) <= sent then 100.0 * coalesce(unknown_users, 0) / nullif(sent, 0) end as unknown_user_rate,
    case when $known_p95 then round(low + (high - low) * beyond, 6) end as p95
from largest
left join begun on largest.job_id is not distinct from begun.job_id
left join timed on largest.job_id is not distinct from timed.job_id
left join lost on largest.job_id is not distinct from lost.job_id
order by sent desc, began, 1
limit case when $top = 0 then 9223372036854775807 else $top end
