-- of keys only what turning and ending them changes; who asked, and what was asked for, stays as it was written
REVOKE UPDATE ON key_epoch, data_key FROM hub_app;
GRANT UPDATE (root_key_id, wrapped, retired_at, destroyed_at) ON key_epoch TO hub_app;
GRANT UPDATE (epoch_id, wrapped) ON data_key TO hub_app;
GRANT SELECT, INSERT ON root_generation, key_destruction TO hub_app;
GRANT UPDATE (left_at, ended_at, final_at) ON root_generation TO hub_app;
GRANT UPDATE (approved_at, approved_by) ON key_destruction TO hub_app;
GRANT SELECT ON root_generation, key_destruction, record_erasure TO hub_reader;
GRANT SELECT, INSERT ON record_erasure TO hub_app;
GRANT UPDATE (approved_at, approved_by, refused_at, refused_by, objects_gone_at) ON record_erasure TO hub_app;
GRANT SELECT ON root_generation, key_destruction, record_erasure TO hub_finder;
