"""`python -m bench.keys`: the keys of 100,000 cases pass to a new epoch while the hub may be used; no object is touched."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy.engine import make_url

from bench.clause import application, filled
from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.core.ids import new_id
from hub.crypto import keyring, rotation, wrapping
from hub.crypto.models import KeyEpoch
from hub.crypto.randomness import new_key
from hub.extensions import db

AT_MOST_SECONDS = 60.0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, filled() as (superuser_url, app_url):
        app = application(app_url, Path(folder))
        with app.app_context():
            enter(db.session(), NOBODY)
            areas = _give_keys(superuser_url)
            began = time.perf_counter()
            moved = sum(_turn(area) for area in areas)
            took = time.perf_counter() - began
            db.session.remove()
            db.engine.dispose()
    slow = took > AT_MOST_SECONDS
    print(f"{moved:,} case keys passed to a new epoch in {took:.1f} s{'  too slow' if slow else ''}")
    return int(slow)


def _give_keys(superuser_url: str) -> list[UUID]:
    """A key for every record there is, wrapped as the hub wraps it."""
    url = make_url(superuser_url).set(drivername="postgresql").render_as_string(hide_password=False)
    areas: dict[UUID, tuple[KeyEpoch, bytes]] = {}
    with psycopg.connect(url) as connection:
        records = connection.execute("SELECT id, partnership_id FROM record").fetchall()
        for area in {row[1] for row in records}:
            epoch = keyring.make_epoch(db.session(), area)
            areas[area] = (epoch, keyring.open_epoch(epoch))
        db.session.commit()
        copying = "COPY data_key (id, created_at, partnership_id, record_id, epoch_id, wrapped) FROM STDIN"
        with connection.cursor().copy(copying) as copy:
            for record_id, area in records:
                epoch, key = areas[area]
                key_id = new_id()
                wrapped = wrapping.wrap(key, new_key(), purpose="data", ids=(area, key_id))
                copy.write_row((key_id, epoch.created_at, area, record_id, epoch.id, wrapped))
    return list(areas)


def _turn(area: UUID) -> int:
    epoch = rotation.start_turn(db.session(), area)
    db.session.commit()
    moved = 0
    while step := rotation.move_keys(db.session(), epoch):
        db.session.commit()
        moved += step
    retired = rotation.retire_emptied(db.session(), epoch)
    db.session.commit()
    assert len(retired) == 1
    return moved


if __name__ == "__main__":
    sys.exit(main())
