-- The metrics, each with its denominator: aggregates over `records` and the views over it.
--   select provider, sent(), bounce_rate() from records group by provider
-- A name with empty parentheses is replaced by its SQL before the engine sees it, since the engine's
-- own macros cannot speak of columns. What a metric is stands here and nowhere else; the SQL over
-- `records` and over the rollup `hourly` is printed from it: sums for counts, and for percentiles its
-- histograms, which are exact below 128 seconds and less than 1 % off above.
--
-- A line with its name and unit, one with the record types without which it says nothing, its meaning, and what it is; of a percentage, what stands above the line:
--   count of RECORDS           how many, of record types such as `d, b`
--   ... where CONDITION        those only: COLUMN = TEXT, COLUMN = TEXT or null, COLUMN <> TEXT or null,
--                              COLUMN is not null, or `reached`: the attempts that reached a receiver
--   COUNT less COUNT           the difference
--   COUNT else COUNT           the second where no record of the first was logged
--   distinct COLUMNS of ...    how many different ones
--   sum COLUMN of ...
--   quantile P of latency      of the seconds from queueing to delivery
--   maximum of latency
--   NAME                       another metric

-- metric: injected count
-- needs: r
-- Recipients handed to PMTA: `r` records; where none were logged, d and b records.
count of r else count of d, b

-- metric: delivered count
-- needs: d
-- Delivered recipients.
count of d

-- metric: bounced count
-- needs: b
-- Recipients bounced here or by a report that came back; without those that an operator deleted.
count of b, rb where bounce_class <> 'administrative' or null

-- metric: bounced_in_band count
-- needs: b
-- Recipients bounced here; without those that an operator deleted.
count of b where bounce_class <> 'administrative' or null

-- metric: bounced_by_receiver count
-- needs: b
-- Recipients bounced by a receiver: its permanent reply, or a report that came back.
count of b, rb where bounce_origin = 'receiver'

-- metric: bounced_after_reply count
-- needs: b
-- Recipients that PMTA gave up after a reply: expired, or by a rule such as bounce-queue.
count of b where bounce_origin = 'pmta-after-reply'

-- metric: bounced_by_pmta count
-- needs: b
-- Recipients that PMTA gave up where no receiver had replied: no route, no answer, DNS.
count of b where bounce_origin = 'pmta'

-- metric: deleted_by_operator count
-- needs: b
-- Recipients that an operator deleted or flushed: no bounces, and in no rate.
count of b where bounce_class = 'administrative'

-- metric: hard count
-- needs: b
-- Bounced recipients of the class hard: the address will never work.
count of b, rb where bounce_class = 'hard'

-- metric: soft count
-- needs: b
-- Bounced recipients of the class soft: the address may work later.
count of b, rb where bounce_class = 'soft'

-- metric: block count
-- needs: b
-- Bounced recipients of the class block: the receiver refused the sender.
count of b, rb where bounce_class = 'block'

-- metric: undetermined count
-- needs: b
-- Bounced recipients of no other class.
count of b, rb where bounce_class = 'undetermined' or null

-- metric: unknown_users count
-- needs: b
-- Recipients bounced here because the mailbox does not exist or is closed, as the reply to them says.
count of b where mailbox_dead = 'yes'

-- metric: sent count
-- needs: d, b
-- Recipients that were finished: delivered, or bounced synchronously; without those that an operator deleted.
count of d, b where bounce_class <> 'administrative' or null

-- metric: accepted count
-- needs: d
-- Delivered less what came back as a remote bounce.
count of d less count of rb

-- metric: deferred count
-- needs: t
-- Failed attempts that will be repeated: attempts, not messages.
count of t, tq

-- metric: delayed count
-- needs: t
-- Recipients deferred at least once: distinct recipient and time of queueing.
distinct rcpt, time_queued of t

-- metric: attempts count
-- needs: d, b, t
-- Attempts for a recipient that reached a receiver, by its address or by its reply.
count of d, b, t where reached

-- metric: complaints count
-- needs: f
-- Complaints from feedback loops.
count of f

-- metric: bytes bytes
-- needs: d
-- Bytes delivered.
sum dlv_size of d

-- metric: accepted_rate percent of sent
-- needs: d, b
-- Accepted of sent recipients.
accepted

-- metric: bounce_rate percent of sent
-- needs: d, b
-- Bounced of sent recipients.
bounced

-- metric: hard_rate percent of sent
-- needs: d, b
-- Hard bounces of sent recipients.
hard

-- metric: soft_rate percent of sent
-- needs: d, b
-- Soft bounces of sent recipients.
soft

-- metric: block_rate percent of sent
-- needs: d, b
-- Blocks of sent recipients.
block

-- metric: undetermined_rate percent of sent
-- needs: d, b
-- Undetermined bounces of sent recipients.
undetermined

-- metric: unknown_user_rate percent of sent
-- needs: d, b
-- Unknown users of sent recipients.
unknown_users

-- metric: deferral_rate percent of attempts
-- needs: d, b, t
-- Deferrals of recipients among the attempts that reached a receiver.
count of t where reached

-- metric: delayed_rate percent of sent
-- needs: d, b, t
-- Recipients deferred at least once, of sent recipients.
delayed

-- metric: complaint_rate percent of accepted
-- needs: d, f
-- Complaints of accepted recipients.
complaints

-- metric: tls_rate percent of delivered
-- needs: d
-- Deliveries over TLS of all deliveries.
count of d where dlv_tls_protocol is not null

-- metric: p50 seconds
-- needs: d
-- Median of the delivery time, from queueing to delivery.
quantile 0.5 of latency

-- metric: p90 seconds
-- needs: d
-- 90th percentile of the delivery time.
quantile 0.9 of latency

-- metric: p95 seconds
-- needs: d
-- 95th percentile of the delivery time.
quantile 0.95 of latency

-- metric: p99 seconds
-- needs: d
-- 99th percentile of the delivery time.
quantile 0.99 of latency

-- metric: slowest seconds
-- needs: d
-- The longest time from queueing to delivery.
maximum of latency
