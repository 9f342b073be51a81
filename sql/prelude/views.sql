-- The views over `records`: one row a record, by what it reports.

-- Delivered recipients.
create or replace view deliveries as select * from records where rec = 'd';

-- Recipients bounced here, by the receiver's reply or by our own decision.
create or replace view bounces as select * from records where rec = 'b';

-- Attempts for one recipient that failed and will be repeated.
create or replace view deferrals as select * from records where rec = 't';

-- Attempts that failed for a whole queue; they have no recipient.
create or replace view queue_deferrals as select * from records where rec = 'tq';

-- Recipients received for delivery.
create or replace view receptions as select * from records where rec = 'r';

-- Asynchronous (out-of-band) bounces.
create or replace view remote_bounces as select * from records where rec = 'rb';

-- Other asynchronous status reports.
create or replace view remote_statuses as select * from records where rec = 'rs';

-- Complaints from feedback loops.
create or replace view complaints as select * from records where rec = 'f';

-- Attempts that reached a receiver.
create or replace view attempts as select * from records where rec in ('d', 'b', 't') and reached_receiver(rec, dlv_destination_ip, dsn_mta, bounce_origin, smtp_code);

-- Complaints and remote bounces, with what their delivery adds: provider, VirtualMTA, pool, job, queue, address, and when. It is the latest one before, with the envelope identifier, else with the recipient and the sender, and of no other job than the record itself names.
create or replace view returns as
select
    came.* exclude (n, is_asked) replace (
        coalesce(latest.provider, came.provider) as provider,
        coalesce(came.sender_domain, latest.sender_domain) as sender_domain,
        coalesce(latest.vmta, came.vmta) as vmta,
        coalesce(latest.vmta_pool, came.vmta_pool) as vmta_pool,
        coalesce(latest.job_id, came.job_id) as job_id,
        coalesce(latest.queue, came.queue) as queue,
        coalesce(latest.dlv_source_ip, came.dlv_source_ip) as dlv_source_ip
    ),
    latest.time_logged as delivered_at
from (select hash(message_key, time_logged, rec, job_id) as n, asked() as is_asked, * from stored where (rec in ('rb', 'f')) is true) came
left join (
    -- These stand in here, since the engine reads all columns of what stands beside a `with`.
    with came as (
        select hash(message_key, time_logged, rec, job_id) as n, message_key, time_logged, job_id, env_id is not null as has_id
        from stored_as_ingested
        -- What always holds: the engine takes each condition to leave fewer, and holds these in memory and not the deliveries.
        where (rec in ('rb', 'f')) is true and (message_key is not null or time_logged is not null)
    ),
    delivered as not materialized (
        -- All of them: the latest one may be one that is not asked for.
        select *, asked() as is_asked from stored_as_ingested where rec = 'd'
    ),
    by_key as (
        -- The recipient and the envelope identifier are the same: nearly all, and no text of a delivery is read.
        select n, true as is_same, d.is_asked as is_sought, d.time_logged, d.provider, d.sender_domain, d.vmta, d.vmta_pool, d.job_id, d.queue, d.dlv_source_ip
        from came join delivered d using (message_key)
        where has_id and d.time_logged <= came.time_logged and coalesce(came.job_id = d.job_id, true)
    ),
    others as (
        select message_key, n from came where n not in (select n from by_key)
    ),
    told as (
        -- Most often nothing is left, and then the engine ends this scan, and those of the deliveries below, as soon as they begin.
        select n, time_logged, env_id, orig, lower(rcpt) as rcpt, job_id
        from (
            select hash(message_key, time_logged, rec, job_id) as n, *
            from stored_as_ingested
            where (rec in ('rb', 'f')) is true and message_key in (select message_key from others)
        )
        where n in (select n from others)
    ),
    by_id as (
        select n, came.rcpt = lower(d.rcpt), d.is_asked, d.time_logged, d.provider, d.sender_domain, d.vmta, d.vmta_pool, d.job_id, d.queue, d.dlv_source_ip
        from told came join delivered d on came.env_id = d.env_id
        where d.time_logged <= came.time_logged and coalesce(came.job_id = d.job_id, true)
    ),
    by_rcpt as (
        select n, true, d.is_asked, d.time_logged, d.provider, d.sender_domain, d.vmta, d.vmta_pool, d.job_id, d.queue, d.dlv_source_ip
        from (select * from told where n not in (select n from by_id)) came join delivered d on came.rcpt = lower(d.rcpt)
        where (came.orig is null or came.orig = d.orig) and d.time_logged <= came.time_logged and coalesce(came.job_id = d.job_id, true)
    )
    select * from (from by_key union all from by_id union all from by_rcpt)
    qualify row_number() over (partition by n order by is_same desc nulls last, time_logged desc, job_id, vmta) = 1
) latest using (n)
where latest.is_sought or came.is_asked;
