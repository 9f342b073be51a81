-- name: domains by=rcpt_domain  Recipient domains
-- name: providers by=provider  Mailbox providers
-- name: senders by=sender_domain  Sender domains
-- name: vmtas by=vmta  VirtualMTAs
-- name: pools by=vmta_pool  VirtualMTA pools
-- name: ips by=dlv_source_ip  Source addresses
-- name: stats top-domains by=rcpt_domain  Domains with the most recipients
-- help: sent, delivered, bounced and deferred recipients and how fast they were delivered, by the recipients sent.
-- needs: d, b
-- uses: t, dlv_destination_ip
-- param: by dimension  Count by
-- param: top int = 20  Rows to show, 0 for all
-- column: sent count
-- column: delivered count
-- column: bounced count
-- column: deferred count
-- column: attempts count
-- column: bounce_rate percent of sent
-- column: deferral_rate percent of attempts
-- column: p95 seconds
-- rollup: by
-- chart: bars by sent
-- see: latency, compare, bounce-reasons
select
    coalesce(by(), '(none)') as "by",
    sent() as sent,
    delivered() as delivered,
    bounced() as bounced,
    bounce_rate() as bounce_rate,
    deferred() as deferred,
    attempts() as attempts,
    deferral_rate() as deferral_rate,
    p95() as p95
from records
group by by()
having sent() + bounced() + deferred() > 0
order by sent desc, deferred desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top end
