-- The bridge's totals for each of thirteen weeks, from one list of what each of them counts.
with counted as (
  select o.*, date_trunc('week', o.ordered_at at time zone '$zone')::date as placed_in
  from orders o
  where o.ordered_at < '$as_of'::timestamptz
    and not (o.status = 'cancelled' and (o.cancelled_at is null or o.cancelled_at < '$as_of'::timestamptz))
),
visits as (
  select *, date_trunc('week', started_at at time zone '$zone')::date as started_in from sessions
  where started_at >= '$start'::timestamptz and started_at < '$end'::timestamptz
),
told as (
  select started_in as start_date, person_id as who, 'visit' as what, 1 as number, 0 as money from visits
  union all
  select placed_in, coalesce(v.person_id, c.customer_id, c.order_id), if(v.session_id is null, 'outside', 'inside'), 1, revenue
  from counted c left join visits v on c.session_id = v.session_id and v.started_in = c.placed_in
  where c.ordered_at >= '$start'::timestamptz and c.ordered_at < '$end'::timestamptz
  union all
  select distinct on (c.session_id, c.placed_in) placed_in, v.person_id, 'converting', 1, 0
  from counted c join visits v on c.session_id = v.session_id and v.started_in = c.placed_in
  union all
  select date_trunc('week', refunded_at at time zone '$zone')::date, coalesce(o.customer_id, r.order_id, r.refund_id),
         'refund', 1, r.amount
  from refunds r left join orders o on r.order_id = o.order_id
  where refunded_at >= '$start'::timestamptz and refunded_at < '$end'::timestamptz
    and coalesce(o.status, '') <> 'cancelled'
),
by_person as (
  select start_date, who,
         coalesce(sum(number) filter (what = 'visit'), 0) as visits,
         coalesce(sum(number) filter (what = 'converting'), 0) as converting,
         coalesce(sum(number) filter (what = 'inside'), 0) as bought,
         coalesce(sum(money) filter (what = 'inside'), 0) as earned,
         coalesce(sum(number) filter (what = 'outside'), 0) as bought_outside,
         coalesce(sum(money) filter (what = 'outside'), 0) as earned_outside,
         coalesce(sum(money) filter (what = 'refund'), 0) as went_back
  from told group by all
)
select greatest(now.start_date, '$first_day'::date) as start_date,
       sum(now.earned + now.earned_outside - now.went_back) as net_revenue,
       sum(now.visits)::bigint as sessions,
       sum(now.converting)::bigint as sessions_with_order,
       sum(now.bought)::bigint as orders_in_sessions,
       sum(now.earned) as revenue_in_sessions,
       sum(now.bought_outside)::bigint as orders_outside_sessions,
       sum(now.earned_outside) as revenue_outside_sessions,
       sum(now.went_back) as refunds,
       count(*) filter (now.visits > 0) as sessions_clusters,
       count(*) filter (now.bought > 0) as orders_in_sessions_clusters,
       sum(now.visits * now.visits)::double as sessions_squares,
       sum(now.visits * now.converting)::double as sessions_sessions_with_order_products,
       sum(now.converting * now.earned)::double as sessions_with_order_revenue_in_sessions_products,
       sum(now.bought * now.earned)::double as orders_in_sessions_revenue_in_sessions_products,
       sum(now.earned * now.earned)::double as revenue_in_sessions_squares,
       count(*) filter (now.went_back > 0) as refunds_clusters,
       sum(now.went_back * now.went_back)::double as refunds_squares,
       coalesce(sum(now.visits * before.visits), 0)::double as sessions_sessions_before_products,
       coalesce(sum(now.earned * before.visits), 0)::double as revenue_in_sessions_sessions_before_products,
       coalesce(sum(now.went_back * before.went_back), 0)::double as refunds_refunds_before_products
from by_person now left join by_person before on before.who = now.who and before.start_date = now.start_date - 7
group by now.start_date order by 1
