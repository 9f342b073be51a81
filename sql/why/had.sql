-- Which records each period has: what the answer rests on.
select period, rec, count(*) as n, max(time_logged) as last
from records
group by all
order by all
