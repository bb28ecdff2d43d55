"""A real object store for the papers of this folder, and the site standing on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub.extensions import db
from tests.conftest import settings_for
from tests.fixtures.applications import application_for
from tests.fixtures.site import Site
from tests.fixtures.store import Bucket, bucket, object_store_server
from tests.fixtures.world import World

__all__ = ["bucket", "object_store_server"]


@pytest.fixture
def stored_site(
    database: SimpleNamespace, root_key_file: Path, world: World, bucket: Bucket
) -> Iterator[Site]:
    """A demonstration's site on a bucket of its own."""
    app = application_for(settings_for(database.app, root_key_file, demo=True, **bucket.settings()))
    yield Site(app, world)
    with app.app_context():
        db.engine.dispose()
