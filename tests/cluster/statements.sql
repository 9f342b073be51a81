select count(*) from records
select rec, count(*) as n from records group by rec order by rec
select provider, sent() as sent, bounce_rate() as rate from records group by provider order by sent desc, provider
select min(date) as first, unnest(generate_series(min(date), max(date), interval 1 day)) as d from records
select count(*), count(dlv_size), sum(dlv_size), min(dlv_size), max(dlv_size), avg(dlv_size) from deliveries
select vmta, count(*) as n from records where vmta is not null group by all order by all
select distinct rec, bounce_class from records order by all
select rec, bounce_cat, count(*) from bounces group by 1, 2 order by 3 desc, 1, 2
select time_logged, rcpt from records order by time_logged, rcpt, rec limit 20
select date, count(*) from records group by date order by date
select date_trunc('hour', time_logged) as h, count(*) from records group by h order by h
select date_trunc('day', time_logged) as d, count(*) from records group by d order by d
select date_trunc('month', time_logged) as d, count(*) from records group by d order by d
select strftime(time_logged, '%Y-%m-%d %H:%M') as m, count(*) from records group by m order by m limit 30
select strftime(time_logged, '%a %b %d') as m, count(*) from records group by m order by m
select extract(hour from time_logged) as h, extract(isodow from time_logged) as d, count(*) from records group by all order by all
select year(time_logged), month(time_logged), day(time_logged), hour(time_logged), minute(time_logged), count(*) from records group by all order by all limit 50
select dayofweek(time_logged), dayname(time_logged), monthname(time_logged), count(*) from records group by all order by all
select week(time_logged), quarter(time_logged), dayofyear(time_logged), count(*) from records group by all order by all
select time_logged - time_queued as wait, count(*) from deliveries group by wait order by 2 desc, epoch(wait) limit 30
select epoch(time_logged - time_queued) as s, count(*) from deliveries group by s order by s limit 50
select avg(epoch(time_logged - time_queued)), max(epoch(time_logged - time_queued)), median(epoch(time_logged - time_queued)) from deliveries
select epoch(time_logged)::bigint as e, epoch_ms(time_logged) as ms, epoch_us(time_logged) as us from records order by us, rcpt limit 10
select time_logged + interval 1 hour as later, time_logged - interval 90 minute as earlier, time_logged + to_seconds(5) as s from records order by time_logged, rcpt limit 10
select time_logged::date - date '2020-01-01' as days, count(*) from records group by 1 order by 1
select date_diff('hour', time_queued, time_logged) as h, count(*) from deliveries group by h order by h
select time_bucket(interval 15 minutes, time_logged) as t, count(*) from records group by t order by t
select make_timestamp(epoch_us(time_logged) // 60000000 * 60000000) as m, count(*) from records group by m order by m limit 40
select quantile_cont(dlv_size, 0.5), quantile_cont(dlv_size, 0.99), quantile_disc(dlv_size, 0.9) from deliveries
select provider, quantile_cont(epoch(time_logged - time_queued), 0.95) as p95 from deliveries group by provider order by provider
select stddev(dlv_size), stddev_pop(dlv_size), variance(dlv_size), var_pop(dlv_size) from deliveries
select count(distinct rcpt), count(distinct lower(rcpt)), count(distinct rcpt_domain) from records
select provider, count(distinct rcpt) as n from records group by provider having count(*) > 10 order by n desc, provider
select lower(rcpt), upper(rcpt_domain), length(rcpt), left(rcpt, 3), right(rcpt, 4) from records order by rcpt, time_logged, rec limit 20
select substring(rcpt, 2, 5), rcpt[2:6], rcpt[1], rcpt[3:] from records order by rcpt, time_logged, rec limit 20
select split_part(rcpt, '@', 2) as d, count(*) from records group by d order by 2 desc, 1 limit 20
select replace(rcpt, '@', ' at '), reverse(rcpt), rcpt || '!' || coalesce(vmta, '-') from records order by rcpt, time_logged, rec limit 10
select concat(vmta, '/', job_id), concat_ws('/', vmta, job_id, smtp_code) from records order by rcpt, time_logged, rec limit 30
select lpad(smtp_code::varchar, 6, '0'), rpad(vmta, 12, '.'), repeat('*', 3), trim('  x ') from bounces order by rcpt, time_logged limit 10
select strpos(rcpt, '@'), contains(rcpt, 'a'), starts_with(rcpt, 'a'), ends_with(rcpt, 'com') from records order by rcpt, time_logged, rec limit 20
select count(*) from records where rcpt like '%@gmail.com'
select count(*) from records where rcpt ilike '%@GMAIL.com' or rcpt not like '%a%'
select count(*) from records where dsn_diag like '%\%' or dsn_diag like '%_\_%'
select count(*) from records where rcpt_domain glob '*.d[ek]'
select count(*) from records where rcpt_domain glob 'g*' or vmta glob '*[!0-9]'
select count(*) from bounces where regexp_matches(dsn_diag, '5\.[0-9]+\.[0-9]+')
select count(*) from bounces where regexp_matches(dsn_diag, 'mailbox|user', 'i')
select regexp_extract(dsn_diag, '([45]\.\d+\.\d+)', 1) as code, count(*) from bounces group by code order by 2 desc, 1
select regexp_replace(rcpt, '[aeiou]', '_', 'g') from records order by rcpt, time_logged, rec limit 10
select regexp_full_match(vmta, 'mta.*'), count(*) from records group by 1 order by 1
select case when smtp_code >= 500 then 'hard' when smtp_code >= 400 then 'soft' else 'none' end as kind, count(*) from records group by kind order by kind
select case rec when 'd' then 'delivered' when 'b' then 'bounced' end as kind, count(*) from records group by all order by all
select coalesce(vmta, job_id, '(none)') as k, nullif(rec, 'd') as r, ifnull(smtp_code, 0) as c, count(*) from records group by all order by all limit 40
select greatest(smtp_code, 100), least(dlv_size, 1000, null) as l, count(*) from records group by all order by all limit 40
select dlv_size / 1024 as kb, dlv_size // 1024 as k, dlv_size % 1024 as r, -dlv_size as m, dlv_size * 2 + 1 as t from deliveries order by rcpt, time_logged limit 20
select 1 / 0 as a, 0.0 / 0 as b, -1 / 0 as c, 5 // 0 as d, 5 % 0 as e, 7 // 2 as f, -7 // 2 as g, -7 % 2 as h
select round(dlv_size / 1000.0, 2) as r, floor(dlv_size / 1000.0) as f, ceil(dlv_size / 1000.0) as c, abs(-1.5) as a, sqrt(dlv_size) as q, ln(dlv_size + 1) as l from deliveries where dlv_size > 0 order by rcpt, time_logged limit 20
select round(2.675, 2), round(-2.5), round(0.5), trunc(-1.5), sign(-3), pow(2, 10), 2 ** 3
select (2.5::double)::bigint, (3.5::double)::bigint, '12'::bigint, try_cast('x' as bigint), try_cast('1.5' as bigint), 12::varchar, true::varchar
select row_number() over (partition by vmta order by time_logged, rcpt, rec) as n, vmta, rcpt from records qualify n <= 2 order by vmta, n
select rcpt, time_logged, lag(time_logged) over (partition by rcpt order by time_logged, rec) as before, lead(rec, 1, 'end') over (partition by rcpt order by time_logged, rec) as next from records order by rcpt, time_logged, rec limit 30
select provider, n, sum(n) over (order by n desc, provider) as running, sum(n) over () as total, rank() over (order by n) as r, dense_rank() over (order by n) as d from (select provider, count(*) as n from records group by provider) order by provider
select h, n, avg(n) over (order by h rows between 2 preceding and current row) as moving, max(n) over (order by h rows between unbounded preceding and unbounded following) as most from (select date_trunc('hour', time_logged) as h, count(*) as n from records group by h) order by h
select h, n, sum(n) over (order by h range between interval 2 hours preceding and current row) as three from (select date_trunc('hour', time_logged) as h, count(*) as n from records group by h) order by h
select first_value(rec) over (partition by provider order by time_logged, rcpt, rec) as f, provider, rcpt from records order by rcpt, time_logged, rec limit 20
select count(*) filter (rec = 'd') over (partition by provider) as d, provider from records order by all limit 20
select ntile(4) over (order by time_logged, rcpt, rec) as q, time_logged from records order by time_logged, rcpt, rec limit 20
with d as (select rcpt_domain, count(*) as n from deliveries group by 1), b as (select rcpt_domain, count(*) as n from bounces group by 1) select rcpt_domain, d.n, b.n as bounced from d left join b using (rcpt_domain) order by d.n desc, rcpt_domain limit 20
with d as (select rcpt_domain, count(*) as n from deliveries group by 1), b as (select rcpt_domain, count(*) as n from bounces group by 1) select coalesce(d.rcpt_domain, b.rcpt_domain) as domain, d.n, b.n as bounced from d full join b on d.rcpt_domain = b.rcpt_domain order by domain
select count(*) from deliveries semi join bounces using (rcpt_domain)
select count(*) from deliveries anti join bounces using (rcpt_domain)
select count(*) from records where rcpt in (select rcpt from bounces)
select count(*) from records where rcpt not in (select rcpt from bounces where rcpt is not null)
select count(*) from records r where exists (select 1 from bounces b where b.rcpt = r.rcpt and b.time_logged > r.time_logged)
select count(*) from records where (rcpt_domain, vmta) in (select (rcpt_domain, vmta) from bounces)
select (select max(time_logged) from records) as newest, (select count(*) from bounces) as bounced
select provider, count(*) from deliveries group by provider union all select provider, count(*) from bounces group by provider order by 1, 2
select provider from deliveries union select provider from bounces order by 1
select provider from deliveries except select provider from bounces order by 1
select provider from deliveries intersect select provider from bounces order by 1
select 'd' as kind, count(*) as n from deliveries union all by name select count(*) as n, 'b' as kind, 1 as more from bounces order by kind
select provider, rec, count(*) as n, grouping(provider) as g from records group by rollup (provider, rec) order by g, provider, rec
select provider, rec, count(*) from records group by grouping sets ((provider), (rec), ()) order by all
select provider, rec, count(*) from records group by cube (provider, rec) order by all
select arg_max(rcpt, (time_logged, rcpt, rec)) as last, arg_min(rcpt, (time_logged, rcpt, rec)) as first from records
select provider, arg_max(template, (time_logged, template)) as reply from bounces group by provider order by provider
select provider, first(rcpt order by time_logged, rcpt, rec) as f, first(rcpt order by time_logged desc, rcpt, rec) as l from records group by provider order by provider
select provider, list(rcpt order by rcpt, time_logged)[1] as f, len(list(rcpt)) as n from records group by provider order by provider
select provider, string_agg(rec, ',' order by rec) as recs from (select distinct provider, rec from records) group by provider order by provider
select bool_or(rec = 'b'), bool_and(rec = 'd'), any_value(1), count_if(rec = 'd') from records
select extra['header_X-Campaign'] as c, count(*) from records group by c order by 2 desc, 1 limit 10
select k, count(*) from (select unnest(map_keys(extra)) as k from records) group by k order by k
select [1, 2, 3][2] as a, [1, 2, 3][5] as b, len([1, 2]) as c, list_contains([1, 2], 2) as d, list_position(['a', 'b'], 'b') as e, list_transform([1, 2], lambda x: x * 2) as f, list_filter([1, 2, 3], lambda x: x > 1) as g
select {a: 1, b: 'x'} as s, {a: 1, b: 'x'}.b as t, struct_extract({a: 1}, 'a') as u
select unnest(range(5)) as n
select * from range(3) t(i)
select i, i * i as s from generate_series(1, 5) t(i)
select * from (values (1, 'a'), (2, null), (null, 'c''d')) t(n, s) order by n, s
select t.n, u.x from (values (1), (2)) t(n), unnest([10, 20]) u(x) order by 1, 2
select unnest(generate_series(timestamp '2026-03-01', timestamp '2026-03-02', interval 6 hours)) as t
select a.provider, b.n from (select distinct provider from records) a join (select provider, count(*) as n from records group by all) b on a.provider is not distinct from b.provider order by 1
select distinct on (provider) provider, rcpt, time_logged from records order by provider, time_logged, rcpt, rec
select * exclude (extra, message_key) from records order by time_logged, rcpt, rec, source limit 5
select * replace (lower(rcpt) as rcpt) from records order by time_logged, rcpt, rec, source limit 3
select records.* from records order by time_logged, rcpt, rec, source limit 3
select tls_level(dlv_tls_protocol) as l, weakness(dlv_tls_protocol, dlv_tls_cipher) as w, count(*) from deliveries group by all order by all
select local(time_logged)::date as d, count(*) from records group by d order by d
select count(distinct message(message_key, time_queued)) from records where rec in ('d', 'b', 't')
select count(distinct hash(vmta, vmta_pool)), count(distinct hash(vmta_pool, vmta)), count(distinct hash(job_id, vmta, vmta_pool)) from records
select count(distinct message_key), min(message_key), max(message_key) from records
select reply_fault, mailbox_dead, reply_family, count(*) from bounces group by all order by all
select template, count(*) from bounces group by template order by 2 desc, 1 limit 10
select provider, count(*) as complaints from returns where rec = 'f' group by all order by all
select sum(records), sum(bytes), max(latency_max) from hourly
select rec, sum(records) as n from hourly group by rec order by rec
select count(*) from rejects
select 'it''s', 'a\b', 'tab	x', '%_', '"q"', '`b`', chr(9731), ''
select count(*) from records where rcpt = 'it''s\@x'
select md5('a'), sha256('a'), ascii_is_not_here from (select 1 as ascii_is_not_here)
select max(rcpt), min(rcpt), max(template), min(time_logged), max(time_logged) from records
select sent(), delivered(), bounced(), deferred(), p50(), p95(), bytes() from records
select sender_domain, sent() as sent, accepted_rate() as rate from records where time_logged < (select max(time_logged) from records) group by 1 order by 2 desc, 1 limit 15
select x.provider, x.n * 100.0 / sum(x.n) over () as share from (select provider, count(*) as n from records group by 1) x order by share desc, 1 limit 10
select provider, n from (select provider, count(*) as n from records group by provider) where n between 5 and 5000 order by n desc, provider limit 7 offset 2
select rec is not null and vmta is distinct from null as x, not (rec = 'd') as y, count(*) from records group by all order by all
