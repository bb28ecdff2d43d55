"""Three independent S3 servers: a file goes through the hub on each; versions and locks hold on those that have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from hub.app import create_app
from hub.attachments.queries import open_attachment
from hub.attachments.ranges import Asked
from hub.config import ArchiveSettings
from hub.extensions import db
from hub.launcher.objectstore import S3Address, client_for
from hub.storage.errors import ObjectMissing
from hub.storage.locked import LockedBucket
from hub.storage.s3 import ObjectStore, new_object_key
from tests.attachments.conftest import new_case
from tests.attachments.storing import CANARY, PLAIN, attach_file, row_of
from tests.conftest import settings_for
from tests.fixtures.world import World, act_as, look_at


def test_a_file_goes_up_and_down_through_the_hub(
    address: S3Address, database: SimpleNamespace, root_key_file: Path, world: World
) -> None:
    store = {
        "s3_endpoint": address.endpoint,
        "s3_bucket": address.bucket,
        "s3_access_key": address.access_key,
        "s3_secret_key": address.secret_key,
    }
    app = create_app(settings_for(database.app, root_key_file, demo=True, **store))
    with app.app_context():
        case_id = new_case(act_as(world, "officer"))
        content = PLAIN * 6  # more than one part
        key = attach_file(world, case_id, content)
        officer = look_at(act_as(world, "officer"), case_id)
        row = row_of(key)
        stored = client_for(address).get_object(Bucket=address.bucket, Key=row.object_key)["Body"].read()
        assert CANARY not in stored and len(stored) == row.stored_size
        assert b"".join(open_attachment(officer, case_id, key).blocks) == content
        part = open_attachment(officer, case_id, key, Asked("bytes=5000000-6000000"))
        assert b"".join(part.blocks) == content[5_000_000:6_000_001]
        db.session.remove()
        db.engine.dispose()


def test_every_object_has_a_version_where_the_server_keeps_them(
    store: ObjectStore, address: S3Address
) -> None:
    stored = store.put_stream(new_object_key(), [b"x"])
    kept = client_for(address).get_bucket_versioning(Bucket=address.bucket).get("Status") == "Enabled"
    assert (stored.version_id is not None) == kept


def test_a_deletion_without_a_version_hides_and_the_pinned_one_is_still_read(
    versioned: ObjectStore, versioned_address: S3Address
) -> None:
    stored = versioned.put_stream(new_object_key(), [b"kept"])
    client_for(versioned_address).delete_object(Bucket=versioned_address.bucket, Key=stored.key)
    assert b"".join(versioned.stream(stored.key, stored.version_id, 4)) == b"kept"
    with pytest.raises(ObjectMissing):
        versioned.stream(stored.key, None, 4)


def test_what_is_locked_is_deleted_by_nobody(versioned_address: S3Address) -> None:
    name = f"locked-{uuid4().hex[:12]}"
    client = client_for(versioned_address)
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    bucket = LockedBucket.from_settings(
        ArchiveSettings(
            s3_endpoint=versioned_address.endpoint,
            s3_bucket=name,
            s3_region=versioned_address.region,
            s3_access_key=versioned_address.access_key,
            s3_secret_key=versioned_address.secret_key,
        )
    )
    bucket.check_lock()
    until = datetime.now(UTC) + timedelta(hours=1)
    version = bucket.put("entry/0", b"the log", until=until)
    bucket.check_held("entry/0", version, until)
    assert bucket.delete("entry/0", version) is False
    bucket.put("entry/0", b"another", until=until)
    assert bucket.get("entry/0", version).body == b"the log"
