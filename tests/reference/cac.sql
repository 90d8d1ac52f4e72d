-- The same credit, counted per channel beside the spend.
with firsts as (
  select customer_id, min(ordered_at) as first_order_at from orders
  where customer_id is not null and status <> 'cancelled' group by 1
),
credited as (
  select f.customer_id,
         arg_max(s.channel, (s.started_at, s.session_id)) filter (s.channel <> 'Direct') as paid_for,
         count(s.session_id) as visits
  from firsts f left join sessions s
    on s.person_id = f.customer_id
   and epoch_us(f.first_order_at) - epoch_us(s.started_at) between 0 and 30 * 86400000000
  group by 1
),
new as (
  select coalesce(paid_for, case when visits > 0 then 'Direct' else 'Unknown' end) as channel, count(*) as new_customers
  from firsts join credited using (customer_id)
  where first_order_at >= '$start'::timestamptz and first_order_at < '$end'::timestamptz
  group by 1
),
spent as (
  select channel, sum(spend) as spend from ad_spend where date >= '$first_day' and date < '$day_after' group by 1
)
select coalesce(spent.channel, new.channel) as channel,
       spend,
       coalesce(new_customers, 0) as new_customers,
       spend::double / new_customers as cac,
       spend is not null and new_customers is null as spend_without_customers
from spent full join new on spent.channel = new.channel
order by 1
