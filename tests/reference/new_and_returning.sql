-- Per local month: each customer looked up in the list of first orders.
with kept as (
  select *, date_trunc('month', ordered_at at time zone '$zone')::date as month
  from orders where status <> 'cancelled' and ordered_at < '$as_of'::timestamptz
),
firsts as (select customer_id, min(month) as first_month from kept where customer_id is not null group by 1),
start as (select min((ordered_at at time zone '$zone')::date) as day from kept),
bookings as (
  select month, customer_id, revenue, revenue as net, true as is_order from kept
  union all
  select date_trunc('month', refunded_at at time zone '$zone')::date, o.customer_id, 0, -amount, false
  from refunds r left join orders o on o.order_id = r.order_id
  where refunded_at < '$as_of'::timestamptz and o.status is distinct from 'cancelled'
),
named as (
  select b.*,
         case when b.customer_id is null then 'guest'
              when b.month > f.first_month then 'returning'
              when b.month - start.day < $look_back_days then 'unknown'
              else 'new' end as kind
  from bookings b left join firsts f on f.customer_id = b.customer_id cross join start
)
select month,
       case when count(distinct customer_id) filter (kind = 'new' and is_order) > 0
              or count(distinct customer_id) filter (kind = 'unknown' and is_order) = 0
            then count(distinct customer_id) filter (kind = 'new' and is_order) end as new_customers,
       count(distinct customer_id) filter (kind = 'returning' and is_order) as returning_customers,
       count(distinct customer_id) filter (kind = 'unknown' and is_order) as unknown_customers,
       coalesce(sum(revenue) filter (kind = 'new'), 0) as new_revenue,
       coalesce(sum(revenue) filter (kind = 'returning'), 0) as returning_revenue,
       coalesce(sum(revenue) filter (kind = 'unknown'), 0) as unknown_revenue,
       coalesce(sum(revenue) filter (kind = 'guest'), 0) as guest_revenue,
       coalesce(sum(net) filter (kind = 'new'), 0) as new_net_revenue,
       coalesce(sum(net) filter (kind = 'returning'), 0) as returning_net_revenue,
       coalesce(sum(net) filter (kind = 'unknown'), 0) as unknown_net_revenue,
       coalesce(sum(net) filter (kind = 'guest'), 0) as guest_net_revenue
from named
group by month
order by month
