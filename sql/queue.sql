-- name: queue
-- title: Depth and age of the queue
-- help: How many recipients waited in the queue, rebuilt from the times of the records: each stands in it from its time of queueing until its delivery or bounce was logged.
-- help: `depth` and `oldest`, the age of the one that waited longest, are those at the end of each step; `queued` came and `finished` left in the step; `peak` is the highest depth at its begin or at the end of any minute of it. Recipients that never finished are known from their deferrals (t), and from receptions (r) without any other record; a filter that r records do not pass, such as `--provider`, leaves the latter out. What happened up to `--horizon` before and behind the window is read too.
-- help: `completeness` is `uncertain` in steps so near the end of the data that some who were waiting then have left no record yet: nearer than the time in which 99 in 100 get their first one (their first deferral; without t records, their delivery or bounce). With r records there is no such edge. The begin is exact: who was waiting then is known from what was logged later.
-- help: `--at` shows the queue as it was at a moment, by recipient domain, VirtualMTA, job or any other dimension: how many recipients waited, how many of them untried, since when and how long the first of them, how often the others had been deferred, and the latest reply. What is known of now is the queue at the newest record. A recipient counts by what its delivery, bounce or deferral says, else by its reception, which knows neither provider nor address.
-- needs: d, b
-- uses: r, t, time_queued
-- reach: around horizon
-- param: step duration = 1h  Length of the steps
-- param: horizon duration = 1d  How far around the window to look
-- param: at time  Show the queue at this moment: now, 14:47, 2026-03-02T14:47
-- param: by dimension = rcpt_domain  With --at, count by
-- param: top int = 20  With --at, rows to show, 0 for all
-- column: time time
-- column: queued count
-- column: finished count
-- column: depth count
-- column: peak count
-- column: oldest seconds
-- column: untried count
-- column: retries count
-- column: since time
-- column: last_tried time
-- chart: lines time depth
-- see: survival, latency, throttles
with data as (
    select min(time_logged) as began, max(time_logged) as ended, bool_or(rec = 'r') as has_r, bool_or(rec = 't') as has_t
    from records
),
told as materialized (
    -- One scan of all the long names: of each record its recipient, and when that was queued.
    select
        hash(orig, rcpt, env_id) as recipient,
        case rec when 'r' then time_logged else time_queued end as queued,
        time_logged,
        rec = 'r' as is_r,
        rec = 't' as is_t,
        asked() as is_asked
    from stored
    where rec in ('r', 'd', 'b', 't')
),
retried as (
    select recipient, queued, min(time_logged) as first_deferred
    from told
    where is_t and is_asked and queued is not null
    group by recipient, queued
),
finished as (
    from told where not is_r and not is_t
),
left_over as (
    -- Most receptions have a record of their recipient, queued in that very moment and logged no earlier.
    select recipient, time_logged
    from told anti join finished on told.recipient = finished.recipient and told.queued = finished.queued and finished.queued <= finished.time_logged
    where told.is_r and told.is_asked
),
tried as (
    select recipient, max(time_logged) as latest
    from told
    where not is_r and recipient in (select recipient from left_over)
    group by recipient
),
stays as (
    select epoch_us(queued) // 1000000 as came, epoch_us(time_logged) // 1000000 as went
    from finished
    where is_asked and queued <= time_logged
    union all
    select epoch_us(queued) // 1000000, null
    from retried anti join finished using (recipient, queued)
    union all
    select epoch_us(time_logged) // 1000000, null
    from left_over left join tried using (recipient)
    where latest is null or latest < time_logged
),
bounds as (
    select
        greatest(epoch_us($since), epoch_us(began)) // 1000000 // $step as first_step,
        (least(epoch_us($until) - 1, epoch_us(ended)) // 1000000) // $step as last_step,
        epoch_us(ended) // 1000000 as ended,
        has_r,
        case
            when has_t then (select quantile_disc(epoch(first_deferred - queued), 0.99) from retried)
            else (select quantile_disc(went - came, 0.99) from stays, data where not has_t)
        end as near
    from data
    where began is not null
),
waiting as (
    -- At the end of step n stand those that came before it and had not gone before it.
    select
        unnest(range(greatest(came // $step, first_step - 1), least(coalesce(went // $step, last_step + 1), last_step + 1))) as n,
        came
    from stays, bounds
    where came // $step <= last_step and (went is null or went // $step >= first_step and went // $step > came // $step)
),
depths as (
    select n, count(*) as depth, (n + 1) * $step - min(came) as oldest
    from waiting
    group by n
),
moved as (
    select came // 60 as minute, count(*) as came, 0 as went from stays group by 1
    union all
    select went // 60, 0, count(*) from stays where went is not null group by 1
),
minutes as (
    select minute, sum(sum(came) - sum(went)) over (order by minute) as depth from moved group by minute
),
peaks as (
    select minute * 60 // $step as n, max(depth) as peak from minutes group by 1
),
entered as (
    select came // $step as n, count(*) as queued from stays group by 1
),
gone as (
    select went // $step as n, count(*) as finished from stays where went is not null group by 1
),
steps as (
    select unnest(range(first_step - 1, last_step + 1)) as n, bounds.* from bounds
)
select
    make_timestamp(n * $step * 1000000) as time,
    coalesce(queued, 0) as queued,
    coalesce(finished, 0) as finished,
    coalesce(depth, 0) as depth,
    greatest(coalesce(peak, 0), coalesce(depth, 0), lag(coalesce(depth, 0), 1, 0) over (order by n))::bigint as peak,
    oldest,
    case when not has_r and (n + 1) * $step > ended - near then 'uncertain' end as completeness
from steps
left join depths using (n)
left join peaks using (n)
left join entered using (n)
left join gone using (n)
qualify n >= first_step
order by n
-- given: at
with told as materialized (
    select
        hash(orig, rcpt, env_id) as recipient,
        case rec when 'r' then time_logged else time_queued end as queued,
        time_logged,
        rec,
        template,
        coalesce(by(), '(none)') as key,
        asked() as is_asked
    from stored
    where rec in ('r', 'd', 'b', 't')
),
finished as (
    from told where rec in ('d', 'b')
),
deferred as (
    select
        recipient,
        queued,
        arg_max(key, time_logged) filter (is_asked) as key,
        count(*) filter (time_logged < $at) as retries,
        arg_max(template, time_logged) filter (time_logged < $at) as reply,
        max(time_logged) filter (time_logged < $at) as last_tried
    from told
    where rec = 't' and queued < $at
    group by recipient, queued
),
received as (
    -- Those that left a reception and nothing else: of the same moment, or later.
    select recipient, queued, any_value(key) as key
    from told anti join finished on told.recipient = finished.recipient and told.queued = finished.queued
    where told.rec = 'r' and told.is_asked and told.queued < $at
        and not exists (from told other where other.recipient = told.recipient and other.rec <> 'r' and other.time_logged >= told.time_logged)
    group by all
),
waiting as (
    select recipient, queued, key from finished where is_asked and queued < $at and time_logged >= $at
    union all
    select recipient, queued, key from deferred anti join finished using (recipient, queued) where key is not null
    union all
    from received
)
select
    case when grouping(waiting.key) = 1 then '(all)' else waiting.key end as "by",
    count(*) as depth,
    count(*) filter (coalesce(retries, 0) = 0) as untried,
    epoch($at::timestamp - min(queued)) as oldest,
    min(queued) as since,
    coalesce(sum(retries), 0)::bigint as retries,
    max(last_tried) as last_tried,
    arg_max(reply, last_tried) as last_reply
from waiting left join deferred using (recipient, queued)
group by rollup (waiting.key)
having count(*) > 0
order by grouping(waiting.key) desc, depth desc, oldest desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top + 1 end
