-- Mean and median of an order, per device, and how the customers' totals vary.
with bought as (
  select coalesce(device_type, '') as device_type, revenue, customer_id, coalesce(customer_id, '/' || order_id) as buyer
  from orders where status <> 'cancelled'
),
buyers as (
  select device_type, buyer, sum(revenue)::double as x, count(*)::double as y from bought group by all
),
spread as (
  select device_type, count(*) as clusters, sum(x * x) as numerator_squares, sum(x * y) as products, sum(y * y) as denominator_squares
  from buyers group by device_type
)
select nullif(bought.device_type, '') as device_type,
       count(*) as orders,
       count(distinct customer_id) as customers,
       sum(revenue) as revenue,
       avg(revenue) as aov,
       median(revenue::double) as aov_median,
       any_value(clusters) as clusters,
       any_value(numerator_squares) as numerator_squares,
       any_value(products) as products,
       any_value(denominator_squares) as denominator_squares
from bought join spread on bought.device_type = spread.device_type
group by bought.device_type
order by 1
