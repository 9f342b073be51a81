-- name: complaints
-- title: Complaints from feedback loops
-- help: Complaints (f records), their rate over accepted recipients, and the lead time from delivery to complaint.
-- help: Accepted are the deliveries of the window less its asynchronous bounces; a complaint counts in the window in which it came, whenever its message was delivered. The rate of a group without any complaint is empty: many receivers have no feedback loop. A complaint says little of its message, so it is matched to the latest delivery before it, up to `--back` before the window: by envelope identifier, else by recipient and sender. `matched` says how many were found; only these have a VirtualMTA, a pool, a job and a lead time.
-- needs: f, d
-- uses: env_id, orig
-- reach: before back
-- param: by dimension = provider  Count by
-- param: back duration = 7d  How far before the window to look for deliveries
-- param: top int = 20  Rows to show, 0 for all
-- column: complaints count
-- column: accepted count
-- column: complaint_rate percent of accepted
-- column: matched count
-- column: median_lead seconds
-- column: last_seen time
-- matched: rb, f
-- chart: bars by complaints
-- see: jobs, remote-bounces, hygiene
with counted as (
    select *, null as delivered_at from records where rec = 'd' and time_logged >= $since
    union all
    -- In one expression with the record type, so that the engine reads no time of others before.
    from returns where case when rec in ('rb', 'f') then time_logged >= $since end
)
select
    coalesce(by(), '(none)') as "by",
    complaints() as complaints,
    accepted() as accepted,
    case when complaints() > 0 then complaint_rate() end as complaint_rate,
    count(delivered_at) filter (rec = 'f') as matched,
    median(epoch(time_logged - delivered_at)) filter (rec = 'f') as median_lead,
    max(time_logged) filter (rec = 'f') as last_seen
from counted
group by by()
having complaints() + accepted() > 0
order by complaints desc, accepted desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top end
