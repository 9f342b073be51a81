-- name: stats vmta-top-bounce
-- title: Domains with the most bounces of each VirtualMTA
-- help: For each VirtualMTA and source address, the recipient domains with the most bounces. --vmta names one; with --by-date, for each day too. Asynchronous bounces have no VirtualMTA and do not count.
-- needs: d, b
-- param: top int = 20  Domains to show for each VirtualMTA, 0 for all
-- param: by-date flag  For each day
-- column: sent count
-- column: delivered count
-- column: bounced count
-- column: bounce_rate percent of sent
-- rollup: few of rec, vmta, ip, domain
-- chart: bars domain bounced
-- see: vmtas, top-bounces
select
    coalesce(vmta, '(none)') as vmta,
    coalesce(dlv_source_ip, '(none)') as ip,
    coalesce(rcpt_domain, '(none)') as domain,
    sent() as sent,
    delivered() as delivered,
    bounced() as bounced,
    bounce_rate() as bounce_rate
from records
where rec in ('d', 'b')
    -- Of most domains nothing bounced: they are not told apart.
    and hash(records.vmta, dlv_source_ip, rcpt_domain) in (select hash(vmta, dlv_source_ip, rcpt_domain) from records where rec = 'b')
group by records.vmta, dlv_source_ip, rcpt_domain
having bounced() > 0
qualify $top = 0 or row_number() over (partition by vmta, ip order by bounced desc, sent desc, domain) <= $top
order by sum(bounced) over (partition by vmta, ip) desc, vmta, ip, bounced desc, sent desc, domain

-- given: by-date
-- rollup: few of rec, vmta, ip, domain, day
select
    strftime(local(time_logged), '%Y-%m-%d') as day,
    coalesce(vmta, '(none)') as vmta,
    coalesce(dlv_source_ip, '(none)') as ip,
    coalesce(rcpt_domain, '(none)') as domain,
    sent() as sent,
    delivered() as delivered,
    bounced() as bounced,
    bounce_rate() as bounce_rate
from records
where rec in ('d', 'b')
    -- Of most domains nothing bounced: they are not told apart.
    and hash(records.vmta, dlv_source_ip, rcpt_domain) in (select hash(vmta, dlv_source_ip, rcpt_domain) from records where rec = 'b')
group by day, records.vmta, dlv_source_ip, rcpt_domain
having bounced() > 0
qualify $top = 0 or row_number() over (partition by day, vmta, ip order by bounced desc, sent desc, domain) <= $top
order by day, sum(bounced) over (partition by day, vmta, ip) desc, vmta, ip, bounced desc, sent desc, domain
