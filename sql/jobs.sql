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
with counted as (
    -- Nearly all records were not bounced: of these no reply is looked up, and what is said of bounces is not asked.
    select
        job_id,
        count(*) as n,
        count(*) filter (rec = 'r') as received,
        count(*) filter (rec = 'd' and time_queued is null) as not_queued,
        min(coalesce(time_queued, time_logged)) as began,
        sent() as sent,
        0 as bounced,
        0 as unknown_users
    from records_as_ingested
    where (rec in ('r', 'd', 't')) is true
    group by job_id
    union all
    select
        job_id,
        count(*),
        0,
        count(*) filter (time_queued is null),
        min(coalesce(time_queued, time_logged)),
        sent() as sent,
        bounced(),
        unknown_users()
    from bounces
    group by job_id
    union all
    select job_id, 0, 0, 0, null, sent() as sent, bounced(), 0
    from returns
    group by job_id
),
largest as materialized (
    select
        job_id,
        -- Not known where fewer receptions are logged than records that do not say when they were queued.
        case when sum(not_queued) <= sum(received) then min(began) end as began,
        sum(sent)::bigint as sent,
        sum(bounced)::bigint as bounced,
        sum(unknown_users)::bigint as unknown_users
    from counted
    group by job_id
    having sum(n) > 0
    order by sent desc, began, coalesce(job_id, '(none)')
    limit case when $top = 0 then 9223372036854775807 else $top end
),
timed as (
    -- All times of a job are kept until it is done: of those that are shown, that is.
    select job_id, p95() as p95
    from records_as_ingested
    where rec = 'd' and coalesce(job_id, '') in (select coalesce(job_id, '') from largest)
    group by job_id
)
select
    coalesce(largest.job_id, '(none)') as job_id,
    began,
    sent,
    case when $known_bounce_rate and bounced <= sent then 100.0 * bounced / nullif(sent, 0) end as bounce_rate,
    case when $known_unknown_user_rate and unknown_users <= sent then 100.0 * unknown_users / nullif(sent, 0) end as unknown_user_rate,
    p95
from largest left join timed on largest.job_id is not distinct from timed.job_id
order by sent desc, began, 1
