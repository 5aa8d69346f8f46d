-- Orders from before vek1-api keep their numbers; of two with one number the older keeps it here
-- too, and `vek1-api doctor` names the other (I5).
INSERT INTO vek1_api.order_state (order_id, store_id, number, drafted_at)
SELECT id, store_id, number, CASE WHEN status = 'draft' THEN now() END
FROM public.orders ORDER BY created_at, id
ON CONFLICT DO NOTHING;
INSERT INTO vek1_api.order_counters (store_id, last)
SELECT store_id, max(number) FROM public.orders GROUP BY store_id
ON CONFLICT (store_id) DO UPDATE SET last = greatest(order_counters.last, excluded.last);
