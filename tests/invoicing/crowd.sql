-- Run as the superuser: foreign keys are not checked, since these rows keep them.
SET session_replication_role = replica;
SET synchronous_commit = off;
SET maintenance_work_mem = '256MB';
ALTER TABLE claims SET UNLOGGED;
DROP INDEX claims_won, claims_in_order;
ALTER TABLE claims DROP CONSTRAINT claims_pkey, DROP CONSTRAINT claims_show_id_claim_id_key;

INSERT INTO shows (id, workspace_id, name, state, currency, item_count, claim_count, buyer_count)
SELECT md5('show' || n)::uuid, '00000000-0000-0000-0000-000000c0ffee', 'Show ' || n, 'ended', 'GBP',
       CASE n WHEN 0 THEN 2000 ELSE 200 END, CASE n WHEN 0 THEN 100000 ELSE 5000 END,
       CASE n WHEN 0 THEN 20000 ELSE 1000 END
FROM generate_series(0, 200) AS n;

INSERT INTO show_items (id, show_id, item_number, title, price)
SELECT md5('item' || n || ' ' || item)::uuid, md5('show' || n)::uuid, item::text,
       'WHITE HANGING HEART T-LIGHT HOLDER ' || item, 100 + item * 7 % 900
FROM generate_series(0, 200) AS n, generate_series(1, CASE n WHEN 0 THEN 2000 ELSE 200 END) AS item;

INSERT INTO buyers (id, workspace_id, platform, platform_user_id, handle, display_name, email)
SELECT md5('buyer' || n)::uuid, '00000000-0000-0000-0000-000000c0ffee', 'facebook', 'u' || n, '@buyer' || n * 7919 % 20011, 'Buyer ' || n, ''
FROM generate_series(1, 20000) AS n;

-- Ids are looked up in arrays: to make them of text for each claim takes longer than all else.
INSERT INTO claims (id, show_id, claim_id, buyer_id, show_item_id, quantity, status, claim_time, sequence)
SELECT lpad(to_hex(n * 1000000 + claim), 32, '0')::uuid, show_id, claim,
       people[1 + CASE n WHEN 0 THEN claim ELSE n * 97 + claim * 31 % 1000 END % 20000],
       goods[1 + CASE n WHEN 0 THEN (claim * 13 + claim / 20000 * 37) % 2000
                 ELSE (claim * 13 + claim / 1000 * 37) % 200 END],
       1, CASE WHEN claim * 7919 % 101 < 81 THEN 'winner'::claim_status ELSE 'waitlist'::claim_status END,
       timestamptz '2026-01-01' + n * interval '1 hour' + claim * interval '1 second', claim
FROM (SELECT array_agg(md5('buyer' || n)::uuid ORDER BY n) AS people FROM generate_series(1, 20000) AS n) AS crowd
CROSS JOIN generate_series(0, 200) AS n
CROSS JOIN LATERAL (
  SELECT md5('show' || n)::uuid AS show_id, array_agg(md5('item' || n || ' ' || item)::uuid ORDER BY item) AS goods
  FROM generate_series(1, CASE n WHEN 0 THEN 2000 ELSE 200 END) AS item
) AS one
CROSS JOIN LATERAL generate_series(1, CASE n WHEN 0 THEN 100000 ELSE 5000 END) AS claim;

ALTER TABLE claims ADD PRIMARY KEY (id), ADD UNIQUE (show_id, claim_id);
CREATE INDEX claims_won ON claims (show_id, buyer_id) INCLUDE (show_item_id, quantity) WHERE status = 'winner';
CREATE INDEX claims_in_order ON claims (show_id, claim_time, id);
VACUUM ANALYZE;
