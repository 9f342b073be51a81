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
    select *, null as delivered_at from records where (rec in ('r', 'd', 'b', 't')) is true
    union all
    from returns
)
select
    coalesce(job_id, '(none)') as job_id,
    min(coalesce(time_queued, time_logged)) filter (rec not in ('rb', 'f')) as began,
    sent() as sent,
    bounce_rate() as bounce_rate,
    unknown_user_rate() as unknown_user_rate,
    p95() as p95
from counted
group by counted.job_id
having count(*) filter (rec not in ('rb', 'f')) > 0
order by sent desc, began, job_id
limit case when $top = 0 then 9223372036854775807 else $top end
