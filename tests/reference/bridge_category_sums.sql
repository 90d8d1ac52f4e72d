-- Units and revenue by line of orders in sessions, per week and category.
with bought as (
  select o.order_id, s.person_id, date_trunc('week', o.ordered_at at time zone '$zone')::date as start_date
  from orders o join sessions s using (session_id)
  where o.status <> 'cancelled'
    and date_trunc('week', o.ordered_at at time zone '$zone') = date_trunc('week', s.started_at at time zone '$zone')
    and s.started_at >= '$start'::timestamptz and s.started_at < '$end'::timestamptz
),
people as (select start_date, person_id, count(*) as bought from bought group by all),
lines as (
  select start_date, category, person_id, sum(quantity) as units, sum(line_revenue) as earned
  from bought join order_lines using (order_id) group by all
)
select greatest(lines.start_date, '$first_day'::date) as start_date, category,
       (select sum(bought) from people p where p.start_date = lines.start_date)::bigint as orders_in_sessions,
       sum(units)::bigint as units,
       sum(earned) as line_revenue,
       count(*) as units_clusters,
       (select sum(bought * bought) from people p where p.start_date = lines.start_date)::double
         as orders_in_sessions_squares,
       sum(bought * earned)::double as orders_in_sessions_line_revenue_products,
       sum(units * earned)::double as units_line_revenue_products
from lines join people using (start_date, person_id)
group by lines.start_date, category order by 1, 2
