-- Sessions with an order per channel, counted from the orders; and how persons vary.
with visits as (
  select channel, coalesce(person_id, anonymous_id, session_id) as visitor, person_id, orders >= 1 as has_order
  from sessions
  where started_at >= '$start'::timestamptz and started_at < '$end'::timestamptz
),
visitors as (
  select channel, visitor, count_if(has_order) as x, count(*) as y from visits group by all
)
select v.channel,
       (select count(*) from visits where visits.channel = v.channel) as sessions,
       (select count(*) from visits where visits.channel = v.channel and has_order) as sessions_with_order,
       (select count(distinct person_id) from visits where visits.channel = v.channel) as people,
       sum(x) / sum(y) as visit_to_order_rate,
       count(*) as clusters,
       sum(x * x)::double as numerator_squares,
       sum(x * y)::double as products,
       sum(y * y)::double as denominator_squares
from visitors v
group by v.channel
order by v.channel
