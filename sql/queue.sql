-- name: queue
-- title: Depth and age of the queue
-- help: How many recipients waited in the queue, rebuilt from the times of the records: each stands in it from its time of queueing until its delivery or bounce was logged.
-- help: `depth` and `oldest`, the age of the one that waited longest, are those at the end of each step; `queued` came and `finished` left in the step, of which an operator `deleted` some; `peak` is the highest depth at its begin or at the end of any minute of it. Recipients that never finished are known from their deferrals (t), and from receptions (r) without any other record; a filter that r records do not pass, such as `--ip`, leaves the latter out. What happened up to `--horizon` before and behind the window is read too.
-- help: `completeness` is `uncertain` in steps so near the end of the data that some who were waiting then have left no record yet: nearer than the time in which 99 in 100 get their first one (their first deferral; without t records, their delivery or bounce). With r records there is no such edge. The begin is exact: who was waiting then is known from what was logged later.
-- help: `--at` shows the queue as it was at a moment, by recipient domain, VirtualMTA, job or any other dimension: how many recipients waited, how many of them untried, since when and how long the first of them, how often the others had been deferred, and the latest reply. What is known of now is the queue at the newest record. A recipient counts by what its delivery, bounce or deferral says, else by its reception, which knows no address, and the provider by its domain alone.
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
-- column: deleted count
-- column: depth count
-- column: peak count
-- column: oldest seconds
-- column: untried count
-- column: retries count
-- column: since time
-- column: last_tried time
-- chart: lines time depth
-- see: survival, latency, throttles
with deferred as not materialized (
    -- What is read of records, over and over, are numbers alone: a scan of these is short.
    select message_key, time_queued as queued, time_logged
    from records
    -- In one expression with the record type, so that the engine reads no time of others.
    where rec = 't' and case when rec = 't' then time_queued is not null end
),
finished as not materialized (
    select message_key, time_queued as queued, time_logged, asked() as is_asked
    from stored
    where (rec in ('d', 'b')) is true
),
retried as materialized (
    select message_key, queued, min(time_logged) as first_deferred
    from deferred
    group by message_key, queued
),
flow as materialized (
    -- Those that came and went in the same minutes and steps are one row, by the second when both had begun.
    select
        case when $step % 60 = 0 then epoch_us(time_queued) // 60000000 * 60
            else greatest(epoch_us(time_queued) // 60000000 * 60, epoch_us(time_queued) // 1000000 // $step * $step) end as came,
        case when $step % 60 = 0 then epoch_us(time_logged) // 60000000 * 60
            else greatest(epoch_us(time_logged) // 60000000 * 60, epoch_us(time_logged) // 1000000 // $step * $step) end as went,
        count(*) as n,
        min(time_queued) as queued,
        sum(summand(message_key)) as keys
    from records
    where (rec in ('d', 'b')) is true and time_queued <= time_logged
    group by 1, 2
),
received as materialized (
    select epoch_us(time_logged) // 60000000 as minute, min(time_logged) as queued, sum(summand(message_key)) as keys
    from receptions
    group by 1
),
data as (
    -- Known as soon as one is seen; of the end, what is logged after the last of the first deferrals.
    select
        (select time_logged from records order by time_logged limit 1) as began,
        max(time_logged) as ended,
        exists (from received) as has_r,
        exists (from deferrals) as has_t
    from records
    where time_logged >= coalesce((select max(first_deferred) from retried), '0001-01-01'::timestamp)
),
unequal as materialized (
    -- Most receptions have a record of their recipient, queued in that very moment and logged no
    -- earlier: where the sums of their keys are equal, all that were received in it have. Where none
    -- was received, none is left over: before the first record that is read.
    select received.minute, received.queued
    from received left join (select came // 60 as minute, sum(keys) as keys from flow group by 1) left_again using (minute)
    where received.keys <> coalesce(left_again.keys, 0)
),
compared as materialized (
    -- A filter, such as that of providers, may let a delivery pass and not its reception. Where many minutes differ, it is all
    -- records that are compared, and else none is read: of a small job a few may be all.
    select case when count(*) > 60 + (select count(*) from received) // 4 then min(queued) else '9999-12-31'::timestamp end as since
    from unequal
),
unequal_of_all as (
    select epoch_us(queued) // 60000000 as minute
    from (
        select time_logged as queued, summand(message_key) as difference
        from stored
        where rec = 'r' and time_logged >= (select since from compared)
        union all
        select time_queued, -summand(message_key)
        from stored
        where (rec in ('d', 'b')) is true and time_logged >= (select since from compared) and time_queued <= time_logged
    )
    group by 1
    having sum(difference) <> 0
),
rough as materialized (
    select minute, queued
    from unequal, compared
    where compared.since > unequal.queued or minute in (select minute from unequal_of_all)
),
uneven as materialized (
    -- Of these, by hours, MTAs and parts of the keys: by hours, since a reception may be logged a second before its recipient
    -- is queued, and by MTAs, since one that logs none has none left over.
    select stretch(host, queued, message_key) as stretch
    from (
        select
            host, message_key,
            case when rec = 'r' then time_logged else time_queued end as queued,
            case when rec = 'r' then summand(message_key) else -summand(message_key) end as difference
        from (
            select rec, host, message_key, time_logged, time_queued
            from records
            where (rec in ('r', 'd', 'b')) is true
                and time_logged >= (select coalesce(min(queued), '9999-12-31'::timestamp) from rough, compared where since > queued)
            union all
            select rec, host, message_key, time_logged, time_queued
            from stored
            where (rec in ('r', 'd', 'b')) is true
                and time_logged >= (select coalesce(min(queued), '9999-12-31'::timestamp) from rough, compared where since <= queued)
        )
        where rec = 'r' or time_queued <= time_logged
    )
    where epoch_us(queued) // 60000000 in (select minute from rough)
    group by 1
    having sum(difference) <> 0
),
left_over as materialized (
    select message_key, time_logged
    from receptions
    where time_logged >= (select min(queued) from rough)
        and stretch(host, time_logged, message_key) in (select stretch from uneven)
),
tried as (
    -- Most of them were received near the end: no earlier record is read.
    select later.message_key, max(later.time_logged) as latest
    from stored later join left_over on later.message_key = left_over.message_key and later.time_logged >= left_over.time_logged
    where (later.rec in ('d', 'b', 't')) is true
    group by later.message_key
),
waited as (
    select came, went, n, queued from flow
    union all
    select epoch_us(queued) // 1000000, null, count(*), min(queued)
    from retried
    -- With a condition over them the engine keeps a filter of the keys, and reads the times of few others.
    anti join (from finished where message_key in (select message_key from retried where first_deferred is not null)) finished using (message_key, queued)
    group by 1
    union all
    select epoch_us(time_logged) // 1000000, null, count(*), min(time_logged)
    from left_over left join tried using (message_key)
    where latest is null or latest < time_logged
    group by 1
),
stays as materialized (
    select
        came // 60 as came_minute, went // 60 as went_minute,
        came // $step as came_step, went // $step as went_step,
        n,
        epoch_us(queued) // 1000000 as came
    from waited
),
bounds as (
    select
        greatest(epoch_us($since), epoch_us(began)) // 1000000 // $step as first_step,
        (least(epoch_us($until) - 1, epoch_us(ended)) // 1000000) // $step as last_step,
        epoch_us(ended) // 1000000 as ended,
        has_r,
        case
            when has_t then (select quantile_disc(epoch(first_deferred - queued), 0.99) from retried)
            else (select quantile_disc(epoch_us(time_logged) // 1000000 - epoch_us(queued) // 1000000, 0.99) from finished, data where not has_t and is_asked and queued <= time_logged)
        end as near
    from data
    where began is not null
),
waiting as (
    -- At the end of step n stand those that came before it and had not gone before it.
    select
        unnest(range(greatest(came_step, first_step - 1), least(coalesce(went_step, last_step + 1), last_step + 1))) as step,
        n,
        came
    from stays, bounds
    where came_step <= last_step and (went_step is null or went_step >= first_step and went_step > came_step)
),
depths as (
    select step as n, sum(n)::bigint as depth, (step + 1) * $step - min(came) as oldest
    from waiting
    group by step
),
moved as (
    select came_minute as minute, sum(n)::bigint as came, 0 as went from stays group by 1
    union all
    select went_minute, 0, sum(n)::bigint from stays where went_minute is not null group by 1
),
minutes as (
    select minute, sum(sum(came) - sum(went)) over (order by minute) as depth from moved group by minute
),
peaks as (
    select minute * 60 // $step as n, max(depth) as peak from minutes group by 1
),
entered as (
    select came_step as n, sum(n)::bigint as queued from stays group by 1
),
gone as (
    select went_step as n, sum(n)::bigint as finished from stays where went_step is not null group by 1
),
deleted as (
    select epoch_us(time_logged) // 1000000 // $step as n, count(*) as deleted
    from records
    where rec = 'b' and bounce_class = 'administrative' and time_queued <= time_logged
    group by 1
),
steps as (
    select unnest(range(first_step - 1, last_step + 1)) as n, bounds.* from bounds
)
select
    make_timestamp(n * $step * 1000000) as time,
    coalesce(queued, 0) as queued,
    coalesce(finished, 0) as finished,
    coalesce(deleted, 0) as deleted,
    coalesce(depth, 0) as depth,
    greatest(coalesce(peak, 0), coalesce(depth, 0), lag(coalesce(depth, 0), 1, 0) over (order by n))::bigint as peak,
    oldest,
    case when not has_r and (n + 1) * $step > ended - near then 'uncertain' end as completeness
from steps
left join depths using (n)
left join peaks using (n)
left join entered using (n)
left join gone using (n)
left join deleted using (n)
qualify n >= first_step
order by n
-- given: at
with deferred as materialized (
    select
        message_key,
        queued,
        arg_max(key, time_logged) filter (is_asked) as key,
        count(*) filter (time_logged < $at) as retries,
        arg_max(template, time_logged) filter (time_logged < $at) as reply,
        max(time_logged) filter (time_logged < $at) as last_tried
    from (
        select message_key, time_queued as queued, time_logged, template, coalesce(by(), '(none)') as key, asked() as is_asked
        from stored
        where rec = 't' and case when rec = 't' then time_queued < $at end
    )
    group by message_key, queued
),
uneven as materialized (
    -- Most receptions have a record of their recipient, queued at that time: where the sums of their keys are equal, by hours, MTAs
    -- and parts of the keys, all that were received have. Of all records, as a filter may let a delivery pass and not its reception.
    select stretch(host, queued, message_key) as stretch
    from (
        select host, message_key, time_logged as queued, summand(message_key) as difference
        from stored
        where rec = 'r' and time_logged < $at
        union all
        select host, message_key, time_queued, -summand(message_key)
        from stored
        where (rec in ('d', 'b')) is true and time_queued < $at and time_queued <= time_logged
    )
    group by 1
    having sum(difference) <> 0
),
left_over as materialized (
    select message_key, time_logged as queued, coalesce(by(), '(none)') as key
    from receptions
    where time_logged < $at and stretch(host, time_logged, message_key) in (select stretch from uneven)
),
tried as (
    select later.message_key, max(later.time_logged) as latest
    from stored later join left_over on later.message_key = left_over.message_key and later.time_logged >= left_over.queued
    where (later.rec in ('d', 'b', 't')) is true
    group by later.message_key
),
waiting as (
    select message_key, time_queued as queued, coalesce(by(), '(none)') as key
    from records
    where (rec in ('d', 'b')) is true and time_logged >= $at and time_queued < $at
    union all
    select message_key, queued, key
    from deferred
    anti join (
        select message_key, time_queued as queued
        from stored
        where (rec in ('d', 'b')) is true and message_key in (select message_key from deferred where queued is not null)
    ) finished using (message_key, queued)
    where key is not null
    union all
    -- Those that left a reception and nothing else, or nothing later.
    select message_key, queued, any_value(key)
    from left_over left join tried using (message_key)
    where latest is null or latest < queued
    group by message_key, queued
)
select
    case when grouping(waiting.key) = 1 then '(all)' else waiting.key end as "by",
    count(*) as depth,
    count(*) filter (coalesce(retries, 0) = 0) as untried,
    epoch($at::timestamp - min(queued)) as oldest,
    min(queued) as since,
    coalesce(sum(retries), 0)::bigint as retries,
    max(last_tried) as last_tried,
    arg_max(reply, (last_tried, reply)) as last_reply
from waiting left join deferred using (message_key, queued)
group by rollup (waiting.key)
having count(*) > 0
order by grouping(waiting.key) desc, depth desc, oldest desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top + 1 end
