-- name: job
-- title: Scorecard of a job
-- help: What became of a job: injected, delivered, bounced by class, unknown users, complaints, how long until half, nine in ten and 99 in 100 of those delivered were delivered, and the provider that bounced the largest share (of 20 recipients or more).
-- help: `waiting` is what was injected and has not left yet, or not within the window; what an operator deleted or flushed does not wait, and is no bounce. `after` counts from the first recipient queued. Asynchronous bounces and complaints count for the job that their record names; where it names none, for that of the latest delivery before them with their envelope identifier, else with their sender and recipient.
-- needs: d, b
-- uses: r, t, f
-- arg: id filter(job_id)  The job, * for any text
-- column: recipients count
-- column: total count
-- column: share percent of total
-- column: after seconds
-- column: at time
-- matched: rb, f
-- chart: bars figure recipients
-- see: jobs, latency, top-bounces
with mine as (
    select *, null as delivered_at from records where rec not in ('rb', 'f')
    union all
    from returns
),
totals as (
    select
        injected() as injected,
        delivered() as delivered,
        bounced() as bounced,
        hard() as hard,
        soft() as soft,
        block() as block,
        undetermined() as undetermined,
        unknown_users() as unknown_users,
        sent() as sent,
        accepted() as accepted,
        delayed() as delayed,
        complaints() as complaints,
        deleted_by_operator() as deleted,
        -- Not known where fewer receptions are logged than records that do not say when they were queued.
        case
            when count(*) filter (rec in ('d', 'b') and time_queued is null) <= count(*) filter (rec = 'r')
            then min(coalesce(time_queued, time_logged))
        end as began,
        max(time_logged) filter (rec in ('d', 'b')) as ended
    from mine
    having count(*) > 0
),
counts as (
    select figures.*
    from totals, (values
        (1, 'injected', injected, null, began),
        (2, 'sent', sent, injected, ended),
        (3, 'deleted by operator', deleted, injected, null),
        (4, 'waiting', case when injected is not null then greatest(injected - sent - coalesce(deleted, 0), 0) end, injected, null),
        (5, 'delivered', delivered, sent, null),
        (6, 'bounced', bounced, sent, null),
        (7, '- hard', hard, sent, null),
        (8, '- soft', soft, sent, null),
        (9, '- block', block, sent, null),
        (10, '- undetermined', undetermined, sent, null),
        (11, 'unknown users', unknown_users, sent, null),
        (12, 'delayed', delayed, sent, null),
        (13, 'complaints', complaints, accepted, null)
    ) figures (n, figure, recipients, total, "at")
),
arrivals as (
    select time_logged, row_number() over (order by time_logged) as place, count(*) over () as delivered
    from mine
    where rec = 'd'
),
times as (
    select 100 + percent as n, percent || ' % delivered' as figure, min(place) as recipients, any_value(delivered) as total, min(time_logged) as "at"
    from arrivals, (values (50), (90), (99)) marks (percent)
    where 100 * place >= percent * delivered
    group by percent
),
worst as (
    select 300 as n, 'worst provider' as figure, bounced() as recipients, sent() as total, coalesce(provider, '(none)') as detail
    from mine
    where rec <> 'f'
    group by provider
    having bounced() > 0 and sent() > 0
    order by sent() < 20, case when sent() >= 20 then bounce_rate() end desc, bounced() desc, sent(), provider
    limit 1
),
rows as (
    select n, figure, recipients, total, "at", null as detail from counts
    union all
    select n, figure, recipients, total, "at", null from times
    union all
    select n, figure, recipients, total, null, detail from worst
)
select
    figure,
    recipients,
    total,
    100.0 * recipients / nullif(total, 0) as share,
    epoch("at" - began) as after,
    "at",
    detail
from rows, (select began from totals)
order by n
