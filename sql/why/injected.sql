-- Recipients handed to PMTA. The provider of a domain is what its deliveries say, since an `r`
-- record has seen no mail server; its VirtualMTA may be the name of a pool.
with hosts as (
    select rcpt_domain, arg_min(provider, named) as provider
    from records
    where rec in ('d', 'b', 't')
    group by rcpt_domain
)
select
    period, coalesce(hosts.provider, records.provider) as provider, sender_domain, vmta_pool,
    case when vmta is distinct from vmta_pool then vmta end as vmta,
    null as dlv_source_ip, job_id, 'injected' as kind, null as category, count(*) as n
from records left join hosts using (rcpt_domain)
where rec = 'r'
group by all
