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
    select message_key >> 32 as recipient, lower(rcpt) as address, min(time_logged) as died
    from stored
    -- One condition, so that the engine reads no address before it knows the record type.
    where (rec in ('b', 'rb')) is true and case when rcpt not like '...@%' then mailbox_dead end = 'yes'
    group by all
),
mailed as not materialized (
    select *, message_key >> 32 as recipient, coalesce(time_queued, time_logged) as queued
    from records_as_ingested
    where (rec in ('d', 'b')) is true and time_logged >= $since
),
again as (
    select coalesce(by(), '(none)') as k, coalesce(provider, '(none)') as provider, count(*) as n
    from mailed join dead using (recipient)
    -- Numbers are compared first, and with `is true` the addresses of those alone that are alike.
    where died < queued and (lower(rcpt) = address) is true
    group by all
),
counted as (
    select
        coalesce(k, '(none)') as k,
        coalesce(provider, '(none)') as provider,
        sent() as sent,
        unknown_users() as unknown_users,
        unknown_user_rate() as unknown_user_rate
    from (
        -- Of what was not bounced no reply is looked up.
        select by() as k, provider, 'd' as rec, null as bounce_class, null as mailbox_dead
        from records_as_ingested
        where rec = 'd' and time_logged >= $since
        union all
        select by(), provider, rec, bounce_class, mailbox_dead
        from bounces
        where time_logged >= $since
    ) as finished
    group by finished.k, finished.provider
)
select
    k as "by",
    provider,
    sent,
    unknown_users,
    unknown_user_rate,
    coalesce(n, 0) as sent_to_dead,
    100.0 * coalesce(n, 0) / sent as dead_rate
from counted left join again using (k, provider)
order by unknown_users desc, sent_to_dead desc, sent desc, k, provider
limit case when $top = 0 then 9223372036854775807 else $top end
-- given: addresses
with dead as materialized (
    select message_key >> 32 as recipient, lower(rcpt) as address, min(time_logged) as bounced_at, arg_min(template, (time_logged, template)) as reply
    from stored
    where (rec in ('b', 'rb')) is true and case when rcpt not like '...@%' then mailbox_dead end = 'yes'
    group by all
),
mailed as not materialized (
    select *, message_key >> 32 as recipient, coalesce(time_queued, time_logged) as queued
    from records_as_ingested
    where (rec in ('d', 'b')) is true and time_logged >= $since
)
select
    address,
    bounced_at,
    count(*) as mailed_again,
    max(time_logged) as last_mailed,
    count(distinct job_id) as jobs,
    reply
from mailed join dead using (recipient)
where bounced_at < queued and (lower(rcpt) = address) is true
group by address, bounced_at, reply
order by mailed_again desc, last_mailed desc, address
limit case when $top = 0 then 9223372036854775807 else $top end
