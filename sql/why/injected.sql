-- Recipients handed to PMTA. The provider of a domain is what its deliveries say, since an `r`
-- record has seen no mail server; its VirtualMTA may be the name of a pool.
-- Domains are compared by numbers: there are many.
with hosts as (
    select
        nullif(hash(rcpt_domain), hash(null::varchar)) as domain,
        arg_min(provider, named) as provider
    from records
    where rec in ('d', 'b', 't')
    group by domain
)
select
    period, coalesce(hosts.provider, records.provider) as provider, sender_domain, vmta_pool,
    case when not is_pool then vmta end as vmta,
    null as dlv_source_ip, job_id, 'injected' as kind, null as category, count(*) as n
from records left join hosts on nullif(hash(rcpt_domain), hash(null::varchar)) = hosts.domain
where rec = 'r'
group by all
