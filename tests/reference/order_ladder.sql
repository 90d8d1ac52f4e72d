-- The rungs of each of thirteen weeks, each summed by itself.
with kept as (
  select *, greatest(date_trunc('week', ordered_at at time zone '$zone')::date, '$first_day'::date) as start_date
  from orders
  where status <> 'cancelled' and ordered_at >= '$start'::timestamptz and ordered_at < '$end'::timestamptz
),
back as (
  select greatest(date_trunc('week', refunded_at at time zone '$zone')::date, '$first_day'::date) as start_date, amount
  from refunds
  where refunded_at >= '$start'::timestamptz and refunded_at < '$end'::timestamptz
    and order_id not in (select order_id from orders where status = 'cancelled')
),
weeks as (select start_date from kept union select start_date from back)
select start_date,
       (select count(*) from kept where kept.start_date = weeks.start_date) as orders,
       coalesce((select sum(gross) from kept where kept.start_date = weeks.start_date), 0) as gross,
       coalesce((select sum(discount) from kept where kept.start_date = weeks.start_date), 0) as discount,
       coalesce((select sum(gross - discount - revenue) from kept where kept.start_date = weeks.start_date), 0)
         as other_reductions,
       coalesce((select sum(revenue) from kept where kept.start_date = weeks.start_date), 0) as revenue,
       coalesce((select sum(amount) from back where back.start_date = weeks.start_date), 0) as refunds,
       coalesce((select sum(revenue) from kept where kept.start_date = weeks.start_date), 0)
         - coalesce((select sum(amount) from back where back.start_date = weeks.start_date), 0) as net_revenue
from weeks order by 1
