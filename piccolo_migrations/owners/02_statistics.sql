-- A plan for any organization assumes that it has a tenth of a table (docs/decisions/0011-plans-for-any-owner.md). How many organizations
-- there are says little about the one that asks: with a thousand of them, the plan for a large one would expect a thousandth and sort.
DO $$
DECLARE
    of record;
BEGIN
    FOR of IN
        SELECT attrelid::regclass AS one FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE attname = 'organization_id' AND relkind = 'r' AND relnamespace = 'public'::regnamespace
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN organization_id SET (n_distinct = 10)', of.one);
        EXECUTE format('ANALYZE %s (organization_id)', of.one);  -- it counts from an analysis on
    END LOOP;
END
$$;
