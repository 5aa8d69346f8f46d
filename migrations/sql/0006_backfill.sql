-- Stores that tell their ERP already do so from this revision on.
INSERT INTO vek1_api.stock_outlets (store_id, is_open, open_since)
SELECT store_id, is_open, CASE WHEN is_open THEN clock_timestamp() END
FROM (
    SELECT store_id, coalesce(outbound_enabled AND outbound_url <> '', false) AS is_open
    FROM public.store_stock_sync_settings
) AS settings
ON CONFLICT DO NOTHING;
