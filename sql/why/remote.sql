-- Asynchronous bounces. What of the dimensions their records have is no matter, but for
-- who sent and who runs the mailboxes.
select
    period, provider, sender_domain, null as vmta_pool, null as vmta, null as dlv_source_ip,
    null as job_id, 'remote' as kind, bounce_cat as category, count(*) as n
from records
where rec = 'rb' and ($class is null or bounce_class = $class)
group by all
