-- What vek1_api must know about rows that were there before it (a database that Drizzle made);
-- frozen with revision 0001. On an empty database it does nothing.

INSERT INTO vek1_api.company_slugs (slug, company_id)
SELECT slug, id FROM public.company_profiles ORDER BY created_at, id
ON CONFLICT DO NOTHING;

-- Nothing kept slugs unique within a company before: the oldest store has it.
INSERT INTO vek1_api.store_slugs (company_id, slug, store_id)
SELECT company_id, slug, id FROM public.stores WHERE status <> 'deleted'
ORDER BY created_at, id
ON CONFLICT DO NOTHING;

INSERT INTO vek1_api.stored_objects (key, company_id, store_id, size_bytes, state, created_at)
SELECT file.filename, file.company_id, product.store_id, file.file_size, 'kept',
       file.upload_date AT TIME ZONE 'UTC'
FROM public.product_files AS file JOIN public.products AS product ON product.id = file.product_id
ORDER BY file.upload_date, file.id
ON CONFLICT DO NOTHING;

INSERT INTO vek1_api.store_storage (store_id, used_bytes)
SELECT store.id, coalesce(sum(object.size_bytes), 0)
FROM public.stores AS store
LEFT JOIN vek1_api.stored_objects AS object ON object.store_id = store.id AND object.state = 'kept'
GROUP BY store.id
ON CONFLICT DO NOTHING;

-- A company's id is its owner's user id.
INSERT INTO vek1_api.audit_trail (company_id, at, entry_id)
SELECT company.id, entry.at AT TIME ZONE 'UTC', entry.id
FROM public.audit_log AS entry
LEFT JOIN public.stores AS store ON store.id = entry.store_id
JOIN public.company_profiles AS company
  ON company.id = coalesce(store.company_id, entry.actor_user_id)
ON CONFLICT DO NOTHING;

INSERT INTO vek1_api.document_index (document_id, store_id, status)
SELECT id, store_id, 'pending' FROM public.documents
ON CONFLICT DO NOTHING;
