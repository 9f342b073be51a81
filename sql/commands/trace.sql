-- The life of every message among the records that `narrowed` lets through: what happened, in
-- order, with the wait before it. Bound: nothing; the condition is put in front.
--
-- A message is known by its envelope identifier, else by its Message-Id, else by sender and the
-- second in which it was queued. What came back without any of these (rb, rs, f) belongs to the
-- last message before it to the same recipient.
with named as (
    select
        *,
        coalesce(
            nullif(env_id, ''),
            message_id,
            -- Where parts are kept that are older than the column.
            extra['header_Message-Id'],
            extra['header_Message-ID'],
            case
                when rec in ('r', 'd', 'b', 't')
                then coalesce(orig, '') || ' ' || epoch(coalesce(time_queued, time_logged))::bigint
            end
        ) as own_name,
        case rec when 'r' then 1 when 't' then 2 when 'd' then 3 when 'b' then 4 else 5 end as step
    from records
),
grouped as (
    select
        *,
        coalesce(
            own_name,
            last_value(own_name ignore nulls) over (
                partition by lower(rcpt) order by time_logged, step
                rows between unbounded preceding and 1 preceding
            ),
            ''
        ) || ' ' || coalesce(lower(rcpt), '') as name
    from named
),
numbered as (
    select
        *,
        min(coalesce(time_queued, time_logged)) over (partition by name) as began,
        count(*) filter (rec in ('d', 'b', 't')) over (partition by name) as attempts,
        bool_or(rec = 'd') over (partition by name) as was_delivered,
        bool_or(rec = 'b') over (partition by name) as was_bounced,
        bool_or(rec = 'rb') over (partition by name) as came_back,
        bool_or(rec = 'f') over (partition by name) as was_complained,
        max(time_logged) filter (rec in ('d', 'b')) over (partition by name) as ended,
        bool_or(rec = 't') over (partition by name) as was_deferred
    from grouped
)
select
    dense_rank() over (order by began, name) as message,
    time_logged,
    epoch(time_logged - coalesce(
        lag(time_logged) over (partition by name order by time_logged, step), time_queued
    ))::bigint as waited,
    case rec
        when 'r' then 'received'
        when 't' then 'deferred'
        when 'd' then 'delivered'
        when 'b' then 'bounced'
        when 'rb' then 'remote bounce'
        when 'rs' then 'remote status'
        when 'f' then 'complaint'
        else rec
    end as event,
    vmta,
    split_part(coalesce(mx, src_mta, dsn_reporting_mta, reporting_mta), ' ', 1) as server,
    coalesce(nullif(dsn_diag, ''), dsn_status, feedback_type) as reply,
    rcpt,
    orig,
    job_id,
    env_id,
    dlv_source_ip,
    dlv_destination_ip,
    host,
    case
        when came_back and was_delivered then 'bounced after delivery'
        when was_delivered and was_complained then 'delivered, then complained about'
        when was_delivered then 'delivered'
        when was_bounced then 'bounced'
        when came_back then 'bounced remotely'
        when was_complained then 'complained about'
        when was_deferred then 'deferred, not yet done'
        else 'received, not yet done'
    end as outcome,
    attempts::bigint as attempts,
    epoch(ended - began)::bigint as took
from numbered
order by message, time_logged, step, host
