-- name: domains
-- title: Recipient domains
-- help: What became of the mail to each recipient domain, by the recipients sent.
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
-- chart: bars rcpt_domain sent
-- see: providers
select
    coalesce(rcpt_domain, '(none)') as rcpt_domain,
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
group by records.rcpt_domain
having sent() + bounced() + deferred() > 0
order by sent desc, deferred desc, rcpt_domain
limit case when $top = 0 then 9223372036854775807 else $top end
