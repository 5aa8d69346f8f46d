-- What vek1_api must know about leads and messages that were there before revision 0003.

-- Of twins the oldest has the id; `vek1-api doctor --fix` joins the others to it.
INSERT INTO vek1_api.lead_identity (store_id, channel, identity, lead_id)
SELECT store_id, channel, vek1_api.contact_id(channel, external_id), id FROM public.leads
ORDER BY created_at, id
ON CONFLICT DO NOTHING;

INSERT INTO vek1_api.message_terms (message_id, store_id, terms)
SELECT id, store_id, vek1_api.portuguese_terms(content) FROM public.messages_history
WHERE store_id IS NOT NULL AND role <> 'debug' AND content <> ''
ON CONFLICT DO NOTHING;
