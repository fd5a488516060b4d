-- migrate:up
-- Quantities and prices have a limit each, but not their products and sums: beyond a hundred trillion minor units, which is
-- more than any provider charges, they are not counted any further, rather than failing whatever is asked of the show.
CREATE FUNCTION line_amount(quantity bigint, unit_price bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN CASE
  WHEN unit_price IS NULL THEN NULL
  WHEN quantity::float8 * unit_price < 1e14 THEN quantity * unit_price
  ELSE 100000000000000
END;

CREATE OR REPLACE VIEW rollups AS
SELECT show_id, buyer_id,
       sum(claim_count)::integer AS claim_count,
       count(*)::integer AS line_count,
       (count(*) FILTER (WHERE unit_price IS NULL))::integer AS unpriced_count,
       least(coalesce(sum(line_amount(quantity, unit_price)), 0), 100000000000000)::bigint AS total,
       -- Names what is owed: it changes with items, quantities and prices, not with titles.
       md5(string_agg(concat_ws(' ', item_number, quantity, coalesce(unit_price::text, '-')), ',' ORDER BY number_order)) AS digest,
       jsonb_agg(jsonb_build_object(
         'item_number', item_number, 'title', title, 'quantity', quantity, 'unit_price', unit_price,
         'amount', coalesce(line_amount(quantity, unit_price), 0)
       ) ORDER BY number_order) AS line_items
FROM won_lines
GROUP BY show_id, buyer_id;

-- migrate:down
