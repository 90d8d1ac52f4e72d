-- First orders of the period, with the channel by arg_max over the person's sessions.
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
)
select customer_id,
       first_order_at,
       coalesce(paid_for, case when visits > 0 then 'Direct' else 'Unknown' end) as channel,
       (select '$first_day'::date - min((ordered_at at time zone '$zone')::date) from orders where status <> 'cancelled')
         >= $look_back_days as is_known
from firsts join credited using (customer_id)
where first_order_at >= '$start'::timestamptz and first_order_at < '$end'::timestamptz
order by 1
