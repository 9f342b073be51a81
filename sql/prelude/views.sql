-- The views over `records`: one row a record, by what it reports.

-- Delivered recipients.
create view deliveries as select * from records where rec = 'd';

-- Recipients bounced here, by the receiver's reply or by our own decision.
create view bounces as select * from records where rec = 'b';

-- Attempts for one recipient that failed and will be repeated.
create view deferrals as select * from records where rec = 't';

-- Attempts that failed for a whole queue; they have no recipient.
create view queue_deferrals as select * from records where rec = 'tq';

-- Recipients received for delivery.
create view receptions as select * from records where rec = 'r';

-- Bounces that came back by mail.
create view remote_bounces as select * from records where rec = 'rb';

-- Other status reports that came back by mail.
create view remote_statuses as select * from records where rec = 'rs';

-- Complaints from feedback loops.
create view complaints as select * from records where rec = 'f';

-- Attempts that reached a receiver.
create view attempts as select * from records where rec in ('d', 'b', 't') and dlv_destination_ip is not null;
