-- The metrics, each with its denominator: aggregates over `records` and the views over it.
--   select provider, sent(), bounce_rate() from records group by provider
-- A name with empty parentheses is replaced by its definition before the engine sees it, since
-- the engine's own macros cannot speak of columns. So the definitions are here and nowhere else.
-- The rollup `hourly` answers them too, by the same definitions: sums for counts, and for percentiles
-- its histograms, which are exact below 128 seconds and less than 1 % off above.
--
-- metric: NAME UNIT [of DENOMINATOR]
-- needs: the record types without which it says nothing

-- metric: injected count
-- needs: r
-- Recipients handed to PMTA: `r` records; where none were logged, d and b records.
case when exists (from receptions) then count(*) filter (rec = 'r') else count(*) filter (rec in ('d', 'b')) end

-- metric: delivered count
-- needs: d
-- Delivered recipients.
count(*) filter (rec = 'd')

-- metric: bounced count
-- needs: b
-- Recipients bounced here or by a report that came back.
count(*) filter (rec in ('b', 'rb'))

-- metric: bounced_in_band count
-- needs: b
-- Recipients bounced here.
count(*) filter (rec = 'b')

-- metric: hard count
-- needs: b
-- Bounced recipients of the class hard: the address will never work.
count(*) filter (rec in ('b', 'rb') and bounce_class = 'hard')

-- metric: soft count
-- needs: b
-- Bounced recipients of the class soft: the address may work later.
count(*) filter (rec in ('b', 'rb') and bounce_class = 'soft')

-- metric: block count
-- needs: b
-- Bounced recipients of the class block: the receiver refused the sender.
count(*) filter (rec in ('b', 'rb') and bounce_class = 'block')

-- metric: undetermined count
-- needs: b
-- Bounced recipients of no other class.
count(*) filter (rec in ('b', 'rb') and coalesce(bounce_class, 'undetermined') = 'undetermined')

-- metric: unknown_users count
-- needs: b
-- Recipients bounced here because there is no such mailbox: category bad-mailbox.
count(*) filter (rec = 'b' and bounce_cat = 'bad-mailbox')

-- metric: sent count
-- needs: d, b
-- Recipients that were finished: delivered, or bounced in band.
count(*) filter (rec in ('d', 'b'))

-- metric: accepted count
-- needs: d
-- Delivered less what came back as a remote bounce.
count(*) filter (rec = 'd') - count(*) filter (rec = 'rb')

-- metric: deferred count
-- needs: t
-- Failed attempts that will be repeated: attempts, not messages.
count(*) filter (rec in ('t', 'tq'))

-- metric: delayed count
-- needs: t
-- Recipients deferred at least once: distinct recipient and time of queueing.
count(distinct hash(rcpt, time_queued)) filter (rec = 't')

-- metric: attempts count
-- needs: d, b, t
-- Attempts for a recipient that reached a receiver.
count(*) filter (rec in ('d', 'b', 't') and dlv_destination_ip is not null)

-- metric: complaints count
-- needs: f
-- Complaints from feedback loops.
count(*) filter (rec = 'f')

-- metric: bytes bytes
-- needs: d
-- Bytes delivered.
coalesce(sum(dlv_size) filter (rec = 'd'), 0)::bigint

-- metric: accepted_rate percent of sent
-- needs: d, b
-- Accepted of sent recipients.
100.0 * accepted() / nullif(sent(), 0)

-- metric: bounce_rate percent of sent
-- needs: d, b
-- Bounced of sent recipients.
100.0 * bounced() / nullif(sent(), 0)

-- metric: hard_rate percent of sent
-- needs: d, b
-- Hard bounces of sent recipients.
100.0 * hard() / nullif(sent(), 0)

-- metric: soft_rate percent of sent
-- needs: d, b
-- Soft bounces of sent recipients.
100.0 * soft() / nullif(sent(), 0)

-- metric: block_rate percent of sent
-- needs: d, b
-- Blocks of sent recipients.
100.0 * block() / nullif(sent(), 0)

-- metric: undetermined_rate percent of sent
-- needs: d, b
-- Undetermined bounces of sent recipients.
100.0 * undetermined() / nullif(sent(), 0)

-- metric: unknown_user_rate percent of sent
-- needs: d, b
-- Unknown users of sent recipients.
100.0 * unknown_users() / nullif(sent(), 0)

-- metric: deferral_rate percent of attempts
-- needs: d, b, t
-- Deferrals of recipients among the attempts that reached a receiver.
100.0 * count(*) filter (rec = 't' and dlv_destination_ip is not null) / nullif(attempts(), 0)

-- metric: delayed_rate percent of sent
-- needs: d, b, t
-- Recipients deferred at least once, of sent recipients.
100.0 * delayed() / nullif(sent(), 0)

-- metric: complaint_rate percent of accepted
-- needs: d, f
-- Complaints of accepted recipients.
100.0 * complaints() / nullif(accepted(), 0)

-- metric: tls_rate percent of delivered
-- needs: d
-- Deliveries over TLS of all deliveries.
100.0 * count(*) filter (rec = 'd' and dlv_tls_protocol is not null) / nullif(delivered(), 0)

-- metric: p50 seconds
-- needs: d
-- Half of the deliveries took at most so long, from queueing to delivery.
quantile_cont(epoch(time_logged - time_queued), 0.5) filter (rec = 'd')

-- metric: p90 seconds
-- needs: d
-- Nine in ten deliveries took at most so long.
quantile_cont(epoch(time_logged - time_queued), 0.9) filter (rec = 'd')

-- metric: p95 seconds
-- needs: d
-- Nineteen in twenty deliveries took at most so long.
quantile_cont(epoch(time_logged - time_queued), 0.95) filter (rec = 'd')

-- metric: p99 seconds
-- needs: d
-- Ninety-nine in a hundred deliveries took at most so long.
quantile_cont(epoch(time_logged - time_queued), 0.99) filter (rec = 'd')

-- metric: slowest seconds
-- needs: d
-- The longest time from queueing to delivery.
max(epoch(time_logged - time_queued)) filter (rec = 'd')
