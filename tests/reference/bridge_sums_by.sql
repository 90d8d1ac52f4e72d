-- Sessions of each channel and week, with the orders placed in the week in which their session began.
with visits as (
  select *, date_trunc('week', started_at at time zone '$zone')::date as start_date,
         coalesce((select count(*) from orders o where o.session_id = s.session_id and o.status <> 'cancelled'
           and date_trunc('week', o.ordered_at at time zone '$zone') = date_trunc('week', s.started_at at time zone '$zone')
           and o.ordered_at < '$as_of'::timestamptz), 0) as bought,
         coalesce((select sum(revenue) from orders o where o.session_id = s.session_id and o.status <> 'cancelled'
           and date_trunc('week', o.ordered_at at time zone '$zone') = date_trunc('week', s.started_at at time zone '$zone')
           and o.ordered_at < '$as_of'::timestamptz), 0) as earned
  from sessions s
  where started_at >= '$start'::timestamptz and started_at < '$end'::timestamptz
),
by_person as (
  select start_date, channel, person_id, count(*) as visits, count(*) filter (bought > 0) as converting,
         sum(bought) as bought, sum(earned) as earned
  from visits group by all
)
select greatest(start_date, '$first_day'::date) as start_date, channel,
       sum(visits)::bigint as sessions,
       sum(converting)::bigint as sessions_with_order,
       sum(bought)::bigint as orders_in_sessions,
       sum(earned) as revenue_in_sessions,
       count(*) as sessions_clusters,
       sum(visits * earned)::double as sessions_revenue_in_sessions_products
from by_person group by 1, 2 order by 1, 2
