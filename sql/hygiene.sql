-- name: hygiene
-- title: Unknown users and dead addresses, by job and provider
-- help: How many recipients of each job the provider did not know, and how many were dead before and were mailed all the same: a list that nobody cleans.
-- help: Sent are the recipients that were finished in the window: delivered, or bounced synchronously. Unknown users are those whose reply says that the mailbox does not exist or is closed (docs/replies.md). A recipient was dead when such a bounce of the address, synchronous or not, in whatever job, was logged before this message was queued, up to `--back` before the window. Addresses without their local part are left out of that. `--addresses` lists them.
-- needs: b, d
-- uses: rb, time_queued, job_id
-- reach: before back
-- param: by dimension = job_id  Count by this and the provider
-- param: addresses flag  List the dead addresses that were mailed again
-- param: back duration = 30d  How far before the window to look for such bounces
-- param: top int = 20  Rows to show, 0 for all
-- column: sent count
-- column: unknown_users count
-- column: unknown_user_rate percent of sent
-- column: sent_to_dead count
-- column: dead_rate percent of sent
-- column: bounced_at time
-- column: mailed_again count
-- column: last_mailed time
-- groups: provider
-- chart: bars by unknown_users
-- see: jobs, suppress, top-bounces
with dead as materialized (
    -- Two addresses may have one number: a record that meets both is counted at the first.
    select *, row_number() over (partition by recipient order by address) as nth
    from (
        select message_key >> 32 as recipient, lower(rcpt) as address, min(time_logged) as died
        from stored
        -- One condition, so that the engine reads no address before it knows the record type.
        where (rec in ('b', 'rb')) is true and case when rcpt not like '...@%' then mailbox_dead end = 'yes'
        group by all
    )
),
lost as materialized (
    select k, provider, sent() as sent, unknown_users() as unknown_users
    from (
        select by() as k, provider, rec, bounce_class, mailbox_dead
        from bounces
        where time_logged >= $since
    ) as finished
    group by finished.k, finished.provider
),
shown as materialized (
    -- Bounces, which are few, tell which groups are shown, unless these run in time or some have no unknown users.
    select hash(k, provider) as pair
    from lost
    where unknown_users > 0
    qualify rank() over (order by unknown_users desc) <= $top
),
enough as materialized (
    select not $in_time and $top > 0 and count(*) >= $top as is_enough from shown
),
mailed as not materialized (
    select *
    from (
        select
            by() as k, provider, rec, rcpt,
            message_key >> 32 as recipient,
            coalesce(time_queued, time_logged) as queued
        from records_as_ingested
        where (rec in ('d', 'b')) is true and time_logged >= $since
    ), enough
    -- A pair that is always shown stands for all, where all groups are: a condition with `or` would be no join.
    where case when is_enough then hash(k, provider) else hash('', '') end in (select pair from shown union all select hash('', ''))
),
counted as (
    select
        k,
        provider,
        count(*) filter (rec = 'd' and coalesce(nth, 1) = 1) as delivered,
        -- Numbers are compared first, and the addresses of those alone that are alike.
        count(case when died < queued then case when lower(rcpt) = address then true end end) as n
    from mailed left join dead using (recipient)
    group by mailed.k, mailed.provider
),
summed as (
    select
        coalesce(counted.k, '(none)') as k,
        coalesce(counted.provider, '(none)') as provider,
        delivered + coalesce(sent, 0) as sent,
        coalesce(unknown_users, 0) as unknown_users,
        n
    from counted left join lost on counted.k is not distinct from lost.k and counted.provider is not distinct from lost.provider
)
select
    k as "by",
    provider,
    case when $known_sent then sent end as sent,
    case when $known_unknown_users then unknown_users end as unknown_users,
    case when $known_unknown_user_rate and unknown_users <= sent then 100.0 * unknown_users / nullif(sent, 0) end as unknown_user_rate,
    n as sent_to_dead,
    100.0 * n / case when $known_sent then sent end as dead_rate
from summed
order by unknown_users desc, sent_to_dead desc, sent desc, k, provider
limit case when $top = 0 then 9223372036854775807 else $top end
-- given: addresses
with dead as materialized (
    -- Two addresses may have one number.
    select *, row_number() over (partition by recipient order by address) as nth
    from (
        select message_key >> 32 as recipient, lower(rcpt) as address, min(time_logged) as bounced_at
        from stored
        where (rec in ('b', 'rb')) is true and case when rcpt not like '...@%' then mailbox_dead end = 'yes'
        group by all
    )
),
mailed as not materialized (
    select *, message_key >> 32 as recipient, coalesce(time_queued, time_logged) as queued
    from records_as_ingested
    where (rec in ('d', 'b')) is true and time_logged >= $since
),
by_job as (
    -- By numbers, and jobs apart so that several threads can count them.
    select recipient, nth, job_id, count(*) as n, max(time_logged) as last_mailed
    from mailed join dead using (recipient)
    where bounced_at < queued and (lower(rcpt) = address) is true
    group by recipient, nth, job_id
),
again as (
    select recipient, nth, sum(n)::bigint as mailed_again, max(last_mailed) as last_mailed, count(job_id) as jobs
    from by_job
    group by recipient, nth
),
shown as materialized (
    select recipient, address, bounced_at, mailed_again, last_mailed, jobs
    from again join dead using (recipient, nth)
    order by mailed_again desc, last_mailed desc, address
    limit case when $top = 0 then 9223372036854775807 else $top end
),
told as (
    select lower(rcpt) as address, arg_min(template, (time_logged, template)) as reply
    from stored
    where (rec in ('b', 'rb')) is true
        and message_key >> 32 in (select recipient from shown)
        and case when rcpt not like '...@%' then mailbox_dead end = 'yes'
    group by lower(rcpt)
)
select shown.address as address, bounced_at, mailed_again, last_mailed, jobs, reply
from shown left join told on shown.address = told.address
order by mailed_again desc, last_mailed desc, shown.address
