-- Customers one by one, with their stratum; the differences as sums over the strata of each product.
with firsts as (
  select customer_id, min(ordered_at) as first_at, arg_min(order_id, (ordered_at, order_id)) as first_order
  from orders where customer_id is not null and status <> 'cancelled' and ordered_at < '$as_of'::timestamptz group by 1
  having min(ordered_at) + interval '$within_days days' < '$as_of'::timestamptz
),
channels as (
  select f.customer_id,
         coalesce(
           arg_max(s.channel, (s.started_at, s.session_id)) filter (s.channel <> 'Direct'),
           case when count(s.session_id) > 0 then 'Direct' else 'Unknown' end
         ) as channel
  from firsts f left join sessions s
    on s.person_id = f.customer_id
   and epoch_us(f.first_at) - epoch_us(s.started_at) between 0 and 30 * 86400000000
  group by 1
),
later as (
  select f.customer_id, count(*) > 0 as repeats,
         sum(o.revenue - coalesce((
           select sum(amount) from refunds r where r.order_id = o.order_id and r.refunded_at < '$as_of'::timestamptz
         ), 0))::double as later_value
  from firsts f join orders o using (customer_id)
  where o.status <> 'cancelled' and o.ordered_at < '$as_of'::timestamptz
    and timezone('$zone', o.ordered_at)::date > timezone('$zone', f.first_at)::date
    and epoch_us(o.ordered_at) - epoch_us(f.first_at) <= $within_days * 86400000000
  group by 1
),
people as (
  select customer_id, first_order, channel || date_trunc('month', timezone('$zone', first_at))::varchar as stratum,
         coalesce(repeats, false)::int as repeats, coalesce(later_value, 0) as later_value
  from firsts join channels using (customer_id) left join later using (customer_id)
),
held as (
  select distinct l.product_id, p.* from people p join order_lines l on l.order_id = p.first_order
),
strata as (
  select stratum, count(*) as n, avg(repeats) as rate, var_samp(repeats) as spread, avg(later_value) as later_mean
  from people group by 1
),
cells as (
  select product_id, stratum, count(*) as with_it, sum(repeats) as repeats, sum(later_value) as later_value
  from held group by all
)
select product_id,
       sum(with_it)::bigint as customers,
       sum(c.repeats)::bigint as repeat_customers,
       sum(c.repeats) / sum(with_it) as repeat_purchase_rate,
       sum(with_it * rate) / sum(with_it) as expected_repeat_rate,
       sum(c.repeats - with_it * rate) / sum(with_it * (n - with_it) / n) as repeat_rate_difference,
       sqrt(sum(with_it * (n - with_it) / n * coalesce(spread, 0))) / sum(with_it * (n - with_it) / n)
         as repeat_rate_difference_error,
       sum(c.later_value) / sum(with_it) as later_value_per_customer,
       sum(with_it * later_mean) / sum(with_it) as expected_later_value_per_customer
from cells c join strata s using (stratum)
group by product_id
order by customers desc, product_id
