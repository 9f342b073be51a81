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
    -- Of what was not bounced no reply is looked up.
    select job_id, rec, time_queued, time_logged, bounce_class, null as mailbox_dead
    from records_as_ingested
    where (rec in ('r', 'd', 't')) is true
    union all
    select job_id, rec, time_queued, time_logged, bounce_class, mailbox_dead from bounces
    union all
    select job_id, rec, time_queued, time_logged, bounce_class, mailbox_dead from returns
),
largest as materialized (
    select
        job_id,
        -- Not known where fewer receptions are logged than records that do not say when they were queued.
        case
            when count(*) filter (rec in ('d', 'b') and time_queued is null) <= count(*) filter (rec = 'r')
            then min(coalesce(time_queued, time_logged)) filter (rec not in ('rb', 'f'))
        end as began,
        sent() as sent,
        bounce_rate() as bounce_rate,
        unknown_user_rate() as unknown_user_rate
    from counted
    group by counted.job_id
    having count(*) filter (rec not in ('rb', 'f')) > 0
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
select coalesce(largest.job_id, '(none)') as job_id, began, sent, bounce_rate, unknown_user_rate, p95
from largest left join timed on largest.job_id is not distinct from timed.job_id
order by sent desc, began, 1
