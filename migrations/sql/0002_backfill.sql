-- What vek1_api must know about products that were there before revision 0002.

-- Nothing kept an ERP's ids unique within a store before: the oldest product has it.
INSERT INTO vek1_api.product_keys (store_id, product_integration_id, product_id)
SELECT store_id, product_integration_id, id FROM public.products
WHERE product_integration_id <> ''
ORDER BY created_at, id
ON CONFLICT DO NOTHING;

-- Documents and search words are made by a job (products.index_lost): a migration adds no rows
-- to public.
