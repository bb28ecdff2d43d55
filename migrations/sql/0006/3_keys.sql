-- Keys that are turned and ended. The walls of the application stand here a second time: what was destroyed stays destroyed, and
-- nothing is destroyed that still opens something.
ALTER TABLE key_epoch ADD CONSTRAINT ck_key_epoch_retired_first CHECK (destroyed_at IS NULL OR retired_at IS NOT NULL);
CREATE INDEX ix_key_epoch_root_key ON key_epoch (root_key_id);
CREATE INDEX ix_data_key_epoch ON data_key (epoch_id);

CREATE FUNCTION public.keep_epochs() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF old.wrapped IS NULL AND new.wrapped IS NOT NULL THEN
        RAISE EXCEPTION 'a destroyed epoch stays destroyed' USING ERRCODE = '42501';
    END IF;
    IF old.retired_at IS NOT NULL AND new.retired_at IS DISTINCT FROM old.retired_at THEN
        RAISE EXCEPTION 'a retired epoch stays retired' USING ERRCODE = '42501';
    END IF;
    IF old.wrapped IS NOT NULL AND new.wrapped IS NULL THEN
        IF old.retired_at IS NULL
                OR EXISTS (SELECT FROM data_key d WHERE d.epoch_id = old.id AND d.wrapped IS NOT NULL) THEN
            RAISE EXCEPTION 'this epoch is in use' USING ERRCODE = '42501';
        END IF;
        IF old.retired_at > now() - interval '2 days' AND NOT EXISTS (SELECT FROM key_destruction k
                WHERE k.epoch_id = old.id AND k.approved_by IS NOT NULL AND k.approved_by <> k.asked_by) THEN
            RAISE EXCEPTION 'two people destroy an epoch before its time' USING ERRCODE = '42501';
        END IF;
    END IF;
    RETURN new;
END
$$;
REVOKE ALL ON FUNCTION public.keep_epochs() FROM PUBLIC;
CREATE TRIGGER keep_epochs BEFORE UPDATE ON key_epoch FOR EACH ROW EXECUTE FUNCTION public.keep_epochs();

-- A data key passes from epoch to epoch of its partnership, and is destroyed by the erasure of its record alone.
CREATE FUNCTION public.keep_data_keys() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF old.wrapped IS NULL AND new.wrapped IS NOT NULL THEN
        RAISE EXCEPTION 'a destroyed key stays destroyed' USING ERRCODE = '42501';
    END IF;
    IF old.wrapped IS NOT NULL AND new.wrapped IS NULL AND NOT EXISTS (SELECT FROM record_erasure e
            WHERE e.record_id = old.record_id AND e.approved_by IS NOT NULL AND e.approved_by <> e.asked_by) THEN
        RAISE EXCEPTION 'only an erasure that two people decided destroys a key' USING ERRCODE = '42501';
    END IF;
    IF new.epoch_id <> old.epoch_id AND NOT EXISTS (SELECT FROM key_epoch k
            WHERE k.id = new.epoch_id AND k.partnership_id = old.partnership_id AND k.retired_at IS NULL) THEN
        RAISE EXCEPTION 'a key passes to a living epoch of its partnership' USING ERRCODE = '42501';
    END IF;
    RETURN new;
END
$$;
REVOKE ALL ON FUNCTION public.keep_data_keys() FROM PUBLIC;
CREATE TRIGGER keep_data_keys BEFORE UPDATE ON data_key FOR EACH ROW EXECUTE FUNCTION public.keep_data_keys();
