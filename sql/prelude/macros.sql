-- Functions that reports, pivots and SQL of the user share.

-- The recipient of a message, the same number in all its records but `r`: who, under which
-- envelope identifier, else from whom, queued when.
create macro message(message_key, time_queued) as hash(message_key, time_queued);

-- What a recipient adds to a sum by which all that were received are compared with all that left: keys are cut
-- so that the sum is a number of 64 bits.
create macro summand(message_key) as (message_key >> 24)::bigint;

-- Where a recipient is compared: by the hour and the MTA in which it was queued, and a part of the keys.
create macro stretch(host, queued, message_key) as hash(host, epoch_us(queued) // 3600000000, message_key % 1021);

-- TLS protocols in order: 0 is plaintext, 1 SSL, 2 to 5 are TLS 1.0 to 1.3.
create macro tls_level(protocol) as case
    when protocol is null then 0
    when protocol ilike '%1.3' then 5
    when protocol ilike '%1.2' then 4
    when protocol ilike '%1.1' then 3
    when protocol ilike 'ssl%' then 1
    else 2
end;

-- What is wrong with the encryption of a delivery; null for nothing. Advice of RFC 9325.
create macro weakness(protocol, cipher) as case
    when protocol is null then 'plaintext'
    when tls_level(protocol) < 4 then 'old protocol'
    when regexp_matches(upper(cipher), 'RC4|RC2|DES|NULL|EXP|MD5|ANON|ADH|AECDH') then 'broken cipher'
    when tls_level(protocol) = 4 and not regexp_matches(upper(cipher), 'DHE|EDH') then 'no forward secrecy'
end;

-- Whether an attempt reached a receiver: its address is logged, or else a reply of it, or its name where
-- nothing says that PMTA itself ended it.
create macro reached_receiver(rec, dlv_destination_ip, dsn_mta, bounce_origin, smtp_code) as
    dlv_destination_ip is not null
    or bounce_origin = 'receiver'
    or (rec = 'd' and smtp_code is not null)
    or (dsn_mta is not null and bounce_origin is null);

-- The field of a record that no column takes, by its name in lower case.
create macro field_of(extra, name) as list_filter(map_entries(extra), lambda entry: lower(entry.key) = name)[1].value;

-- Whether what a record says was replied to its own recipient: when a whole queue is bounced (`bounce-queue`), all
-- its messages get what one of them was told.
create macro replied_to_it(bounce_origin, dsn_diag) as
    coalesce(bounce_origin <> 'pmta-after-reply' or dsn_diag not ilike 'x-pmta;%bounce-queue%', true);

-- The value of a dimension of the site among those that a row of `hourly` keeps.
create macro site_value(kept, name) as
    url_decode(nullif(regexp_extract('&' || kept, '&' || name || '=([^&]*)', 1), ''));

-- Whether a row of `stored` is one of `records`: statements with filters have these in its place.
create macro asked() as true;

-- What the values of a dimension of time are sorted by, so that time runs forward: days of the week begin
-- with Monday, and of an hour that comes twice the one with the larger offset is the earlier one.
create macro in_time(value) as
    coalesce(nullif(list_position(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'], value), 0)::varchar, value[:13])
    || case when length(value) = 22 then
        lpad((2000 - try_cast(value[17:19] as bigint) * 60 - try_cast(value[17:17] || value[21:22] as bigint))::varchar, 4, '0')
    else '0000' end
    || value[14:16];
