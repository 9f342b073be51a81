-- name: stats vmta-time-breakdown
-- title: Recipients and bounces of each VirtualMTA by hour and day
-- help: Recipients sent, delivered and bounced by VirtualMTA and source address in each hour or day of the local clock that has any. --vmta names one. Asynchronous bounces have no VirtualMTA and do not count.
-- needs: d, b
-- param: per choice(hour,day) = hour  Length of the steps
-- column: time time
-- column: sent count
-- column: delivered count
-- column: bounced count
-- column: bounce_rate percent of sent
-- rollup: rec, vmta, ip, hour
-- chart: lines time sent
-- see: vmtas, volume
select
    coalesce(vmta, '(none)') as vmta,
    coalesce(dlv_source_ip, '(none)') as ip,
    local_hour(time_logged) as time,
    sent() as sent,
    delivered() as delivered,
    bounced() as bounced,
    bounce_rate() as bounce_rate
from records
where rec in ('d', 'b')
group by records.vmta, dlv_source_ip, time
order by sum(sent()) over (partition by vmta, ip) desc, vmta, ip, time
-- given: per=day
-- rollup: rec, vmta, ip, day
select
    coalesce(vmta, '(none)') as vmta,
    coalesce(dlv_source_ip, '(none)') as ip,
    local(time_logged)::date as time,
    sent() as sent,
    delivered() as delivered,
    bounced() as bounced,
    bounce_rate() as bounce_rate
from records
where rec in ('d', 'b')
group by records.vmta, dlv_source_ip, time
order by sum(sent()) over (partition by vmta, ip) desc, vmta, ip, time
