-- name: stats vmta-summary
-- title: Traffic of each VirtualMTA and address
-- help: Recipients sent, delivered and bounced by VirtualMTA and source address, the most first; with --by-date, by day too. Asynchronous bounces have no VirtualMTA and do not count.
-- needs: d, b
-- param: top int = 0  Rows to show, 0 for all
-- param: by-date flag  A row for each day
-- column: sent count
-- column: delivered count
-- column: bounced count
-- column: bounce_rate percent of sent
-- rollup: rec, vmta, ip
-- chart: bars vmta sent
-- see: vmtas, ips
select
    coalesce(vmta, '(none)') as vmta,
    coalesce(dlv_source_ip, '(none)') as ip,
    sent() as sent,
    delivered() as delivered,
    bounced() as bounced,
    bounce_rate() as bounce_rate
from records
where rec in ('d', 'b')
group by records.vmta, dlv_source_ip
order by sent desc, vmta, ip
limit case when $top = 0 then 9223372036854775807 else $top end

-- given: by-date
-- rollup: rec, vmta, ip, day
select
    strftime(local(time_logged), '%Y-%m-%d') as day,
    coalesce(vmta, '(none)') as vmta,
    coalesce(dlv_source_ip, '(none)') as ip,
    sent() as sent,
    delivered() as delivered,
    bounced() as bounced,
    bounce_rate() as bounce_rate
from records
where rec in ('d', 'b')
group by day, records.vmta, dlv_source_ip
order by day, sent desc, vmta, ip
limit case when $top = 0 then 9223372036854775807 else $top end
