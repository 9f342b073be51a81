-- The value of a metric in each period.
select period, (metric()) as value
from records
group by period
