-- name: vmtas
-- title: VirtualMTAs
-- help: What became of the mail of each VirtualMTA, by the recipients sent.
-- needs: d, b
-- param: top int = 20  Rows to show, 0 for all
-- column: sent count
-- column: delivered count
-- column: bounced count
-- column: deferred count
-- column: attempts count
-- column: bounce_rate percent of sent
-- column: deferral_rate percent of attempts
-- column: p50 seconds
-- column: p95 seconds
-- chart: bars vmta sent
-- see: domains
select
    coalesce(vmta, '(none)') as vmta,
    sent() as sent,
    delivered() as delivered,
    bounced() as bounced,
    bounce_rate() as bounce_rate,
    deferred() as deferred,
    attempts() as attempts,
    deferral_rate() as deferral_rate,
    p50() as p50,
    p95() as p95
from records
group by records.vmta
having sent() + bounced() + deferred() > 0
order by sent desc, deferred desc, vmta
limit case when $top = 0 then 9223372036854775807 else $top end
