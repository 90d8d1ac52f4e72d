-- Orders and money per local week, from two lists put together by a full join.
with sold as (
  select date_trunc('week', ordered_at at time zone '$zone')::date as week,
         count(*) as orders,
         count(distinct customer_id) as customers,
         count(*) filter (revenue = 0) as zero_value_orders,
         sum(revenue) as revenue,
         sum(discount) as discount
  from orders
  where status in ('completed', 'partially_refunded', 'refunded') and ordered_at < '$as_of'::timestamptz
  group by 1
),
returned as (
  select date_trunc('week', refunded_at at time zone '$zone')::date as week, sum(amount) as refunds
  from refunds
  where refunded_at < '$as_of'::timestamptz
    and not exists (select 1 from orders where orders.order_id = refunds.order_id and orders.status = 'cancelled')
  group by 1
)
select coalesce(sold.week, returned.week) as week,
       coalesce(orders, 0) as orders,
       coalesce(customers, 0) as customers,
       coalesce(zero_value_orders, 0) as zero_value_orders,
       coalesce(revenue, 0) as revenue,
       coalesce(discount, 0) as discount,
       coalesce(refunds, 0) as refunds,
       coalesce(revenue, 0) - coalesce(refunds, 0) as net_revenue,
       revenue::double / orders as aov
from sold full join returned on sold.week = returned.week
order by 1
