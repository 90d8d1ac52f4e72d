-- Self-join of each customer's orders with the first one.
with kept as (
  select customer_id, ordered_at, (ordered_at at time zone '$zone')::date as day
  from orders
  where customer_id is not null and status <> 'cancelled' and ordered_at < '$as_of'::timestamptz
),
firsts as (
  select distinct on (customer_id) * from kept order by customer_id, ordered_at
),
customers as (
  select f.customer_id,
         date_trunc('month', f.day)::date as cohort_month,
         exists (select 1 from kept k where k.customer_id = f.customer_id and k.day > f.day
                 and epoch_us(k.ordered_at) - epoch_us(f.ordered_at) <= $within_days * 86400000000) as came_back,
         (select count(*) from kept k where k.customer_id = f.customer_id and k.day = f.day) as orders_that_day
  from firsts f
  where epoch_us('$as_of'::timestamptz) - epoch_us(f.ordered_at) > $within_days * 86400000000
)
select cohort_month,
       count(*) as customers,
       count_if(came_back) as repeat_customers,
       count_if(orders_that_day > 1 and not came_back) as same_day_only_customers,
       count_if(came_back) / count(*) as repeat_purchase_rate
from customers
group by 1
order by 1
