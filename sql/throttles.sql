-- name: throttles
-- title: Throttle episodes
-- help: When a provider deferred one of our addresses with one reply: onset, how long, whether ongoing, the worst share, how many recipients it delayed and by how much in all. Ongoing ones come first, and of these and the others those that delayed the most recipients.
-- help: Only replies count: where no server answered at all, nobody throttles. A step of time is hot when the reply was the answer to at least `--share` percent of the attempts from this address to this provider. An episode is a run of hot steps with at least `--least` deferrals; it goes on from one hot step to the next when no more than `--gap` lies between their deferrals and, all steps between counted, that reply was still the answer to `--share` percent of the attempts. It is ongoing when less than the gap lies between its last deferral and the end of the window, or of the data.
-- help: Attempts are d, t and tq records, and b records where a receiver was reached. `peak_share` is the share in the step with the most deferrals, of its `peak_attempts`. `delayed` counts recipients (t records; a tq record has none), `total_delay` is the sum of their waits from their first deferral in the episode to their delivery or bounce, or to the end of the data, up to `--horizon` behind the window. Who was deferred in two episodes counts in both.
-- needs: t
-- uses: d, b, tq, dlv_source_ip, dlv_destination_ip, time_queued, rcpt
-- reach: after horizon
-- param: share int = 20  Percent of the attempts that make a step hot
-- param: least int = 5  Deferrals that make an episode
-- param: step duration = 5m  Length of a step
-- param: gap duration = 1h  Time without a hot step that ends an episode
-- param: horizon duration = 1d  How far behind the window to look for deliveries
-- param: top int = 20  Episodes to show, 0 for all
-- column: onset time
-- column: lasted seconds
-- column: peak_share percent of peak_attempts
-- column: peak_attempts count
-- column: delayed count
-- column: total_delay seconds
-- chart: bars template total_delay
-- see: deferrals, survival, retries
with answered as not materialized (
    -- Numbers stand for names, which are slow to group by and to put in order.
    select
        hash(provider, dlv_source_ip) as pair,
        hash(provider, dlv_source_ip, template) as refusal,
        epoch_us(time_logged) // (1000000 * $step) as step,
        *
    from records
    -- In one expression with the record type, so that the engine reads no other column of the types before.
    where (rec in ('t', 'tq')) is true
        and case when rec in ('t', 'tq') then smtp_code is not null and time_logged >= $since and time_logged < $until end
),
refused as materialized (
    select
        pair, refusal, step, time_logged, message_key,
        case when rec = 't' then message(message_key, time_queued) end as message
    from answered
),
often as (
    -- Most replies from most addresses are few.
    select refusal from refused group by refusal having count(*) >= $least
),
linked as (
    select *, count(*) filter (breaks) over (partition by refusal order by time_logged) as chain
    from (
        select
            refusal, pair, step, time_logged,
            -- A step is hot as a whole, however long it is.
            step > lag(step) over same and time_logged - lag(time_logged) over same > to_seconds($gap) as breaks
        from (select refusal, pair, step, time_logged from refused where refusal in (select refusal from often))
        window same as (partition by refusal order by time_logged)
    )
),
dense as materialized (
    -- An episode lies within deferrals that follow each other without a longer gap, so many of them.
    select refusal, pair, step, time_logged
    from linked
    qualify count(*) over (partition by refusal, chain) >= $least
),
near as (
    -- Of the attempts only those between two deferrals are compared that lie less than the gap apart.
    select distinct hash(pair, step // ($gap // $step + 1)) as stretch
    from dense
),
tried as (
    select *, sum(tried) over (partition by pair order by step) as tried_so_far
    from (
        select pair, step, count(*) as tried
        from (
            select hash(provider, dlv_source_ip) as pair, epoch_us(time_logged) // (1000000 * $step) as step
            from records_as_ingested
            where rec = 'd' and time_logged >= $since and time_logged < $until
            union all
            select hash(provider, dlv_source_ip), epoch_us(time_logged) // (1000000 * $step)
            from records_as_ingested
            where (rec in ('t', 'tq', 'b')) is true
                and case when rec <> 'b' or dlv_destination_ip is not null then time_logged >= $since and time_logged < $until end
        )
        where hash(pair, step // ($gap // $step + 1)) in (select stretch from near)
        group by all
    )
),
steps as (
    select *, sum(deferred) over (partition by refusal order by step) as deferred_so_far
    from (
        select
            refusal, pair, step,
            count(*) as deferred,
            min(time_logged) as began,
            max(time_logged) as ended
        from dense
        group by all
    )
    join tried using (pair, step)
),
marked as (
    select
        *,
        began - lag(ended) over same <= to_seconds($gap)
            and 100 * (deferred_so_far - lag(deferred_so_far) over same)
                >= $share * (tried_so_far - lag(tried_so_far) over same) as goes_on
    from steps
    where 100 * deferred >= $share * tried
    window same as (partition by refusal order by step)
),
numbered as (
    select *, count(*) filter (goes_on is not true) over (partition by refusal order by step) as n
    from marked
),
kept as (
    select
        refusal, n,
        min(began) as onset,
        max(ended) as ended,
        -- Of the step with the most deferrals, of such that with the fewest attempts, the first.
        arg_max({deferred: deferred, tried: tried}, (deferred, -tried, -step)) as peak
    from numbered
    group by all
    having max(deferred_so_far) - min(deferred_so_far - deferred) >= $least
),
named as (
    -- The names are read of those that are shown.
    select
        refusal,
        coalesce(first(provider), '(none)') as provider,
        coalesce(first(dlv_source_ip), '(none)') as ip,
        coalesce(first(template), '(none)') as template
    from answered
    where refusal in (select refusal from kept)
    group by refusal
),
delayed as (
    select refusal, n, message_key, message, min(time_logged) as since
    from kept join refused using (refusal)
    where time_logged between onset and ended and message is not null
    group by all
),
finished as (
    select message(message_key, time_queued) as message, max(time_logged) as finished
    from (
        select message_key, time_queued, time_logged from records_as_ingested where rec = 'd'
        union all
        select message_key, time_queued, time_logged from records_as_ingested where rec = 'b'
    )
    -- With a condition over them the engine keeps a filter of the keys, and reads the times of few others.
    where message_key in (select message_key from delayed where since is not null)
    group by 1
),
data as (
    -- Not before the last deferral: what was logged long before is not read.
    select max(time_logged) as until
    from records_as_ingested
    where time_logged >= (select max(time_logged) from refused)
),
costs as (
    select
        refusal, n,
        count(*) as delayed,
        sum(epoch(coalesce(finished, data.until) - since))::bigint as total_delay
    from data, delayed left join finished using (message)
    group by all
)
select
    provider,
    ip,
    onset,
    epoch(ended - onset)::bigint as lasted,
    case when least(data.until, $until) - ended < to_seconds($gap) then 'ongoing' else 'ended' end as state,
    100.0 * peak.deferred / peak.tried as peak_share,
    peak.tried as peak_attempts,
    coalesce(delayed, 0) as delayed,
    coalesce(total_delay, 0) as total_delay,
    template
from data, kept join named using (refusal) left join costs using (refusal, n)
order by state desc, delayed desc, total_delay desc, onset, provider, ip, template
limit case when $top = 0 then 9223372036854775807 else $top end
