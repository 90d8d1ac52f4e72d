WITH called AS (
    SELECT *, CASE WHEN user_id IS NOT NULL THEN 'a' || user_id WHEN email_hash IS NOT NULL THEN 'b' || email_hash
                   ELSE 'c' || anonymous_id END AS sent
    FROM events
), told AS (
    SELECT order_id, min(sent) AS sent FROM called WHERE event_name = 'Order Completed' GROUP BY order_id
), bought AS (
    SELECT ordered_at, coalesce(told.sent, customer_id) AS before, customer_id AS after
    FROM orders LEFT JOIN told USING (order_id) WHERE status <> 'cancelled' AND customer_id IS NOT NULL
), firsts AS (
    SELECT 'before' AS merging, before AS who, min(ordered_at) AS first_order_at FROM bought GROUP BY ALL
    UNION ALL SELECT 'after', after, min(ordered_at) FROM bought GROUP BY ALL
), visited AS (
    SELECT sessions.*, (SELECT min(sent) FROM called WHERE called.session_id = sessions.session_id) AS sent
    FROM sessions
), credited AS (
    SELECT merging, who, coalesce((
        SELECT arg_min(channel, (started_at, session_id)) FROM visited
        WHERE who = CASE merging WHEN 'before' THEN sent ELSE person_id END AND started_at <= first_order_at
    ), 'no session') AS channel
    FROM firsts
)
SELECT channel, count(*) FILTER (merging = 'before') AS customers_before,
    count(*) FILTER (merging = 'after') AS customers_after,
    customers_before / sum(customers_before) OVER () AS before_share,
    customers_after / sum(customers_after) OVER () AS after_share
FROM credited GROUP BY channel ORDER BY channel
