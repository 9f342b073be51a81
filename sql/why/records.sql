-- Records by what they report: attempts, bounces that came back, complaints.
select
    period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id, carried,
    case
        when rec = 'd' then 'delivered'
        when rec in ('t', 'tq') then 'deferred'
        when rec = 'f' then 'complained'
        when $class is not null and bounce_class is distinct from $class then 'aside'
        when rec = 'rb' then 'remote'
        else 'bounced'
    end as kind,
    case when rec <> 'd' then bounce_cat end as category,
    count(*) as n
from records
where
    -- All others. A list of so many would be a join.
    rec <> 'r' and rec <> 'rs'
    -- A deferral rate is of the attempts that reached a receiver.
    and ($reached = 0 or (reached_receiver(rec, dlv_destination_ip, dsn_mta, bounce_origin, smtp_code) and rec in ('d', 'b', 't')))
    and bounce_class is distinct from 'administrative'
    and not (rec = 'rb' and $class is not null and bounce_class is distinct from $class)
group by all
