-- Each person at each product by the deepest, then earliest of their walks; worth what its last step said.
with e as (
  select person_id, product_id, event_name, occurred_at as t, price * quantity as worth from product_events
  where person_id is not null and product_id is not null and occurred_at < '$as_of'::timestamptz
),
s1 as (
  select distinct person_id, product_id, t as t1 from e
  where event_name = 'Product Viewed' and t >= '$start'::timestamptz and t < '$end'::timestamptz
    and t + to_days($window_days) < '$as_of'::timestamptz
),
s2 as (
  select s1.*, (
    select min(t) from e where e.person_id = s1.person_id and e.product_id = s1.product_id
      and event_name = 'Product Added' and t >= t1 and t <= t1 + to_days($window_days)
  ) as t2 from s1
),
s3 as (
  select s2.*, (
    select min(t) from e where e.person_id = s2.person_id and e.product_id = s2.product_id
      and event_name = 'Product Purchased' and t >= t2 and t <= t1 + to_days($window_days)
  ) as t3 from s2
),
best as (
  select *, case when t3 is not null then 3 when t2 is not null then 2 else 1 end as depth from s3
  qualify row_number() over (partition by person_id, product_id order by depth desc, t1) = 1
),
worths as (
  select best.person_id, best.product_id, depth,
         case when depth = 3 then sum(worth) else max(worth) end as worth
  from best join e on e.person_id = best.person_id and e.product_id = best.product_id
    and e.event_name = case depth when 3 then 'Product Purchased' when 2 then 'Product Added' else 'Product Viewed' end
    and e.t = case depth when 3 then t3 when 2 then t2 else t1 end
  group by best.person_id, best.product_id, depth
)
select step_number, count_if(depth >= step_number) as attempts,
       coalesce(sum(worth) filter (depth >= step_number), 0) as entering,
       case when step_number < 3 then coalesce(sum(worth) filter (depth = step_number), 0) else 0 end as lost
from worths, (values (1), (2), (3)) as steps(step_number)
group by step_number order by 1
