"""The object store of this process: made at first need, kept with the application."""

from __future__ import annotations

import threading

from flask import Flask, current_app

from hub.config import Settings
from hub.storage.s3 import ObjectStore

_KEY = "hub_object_store"
_making = threading.Lock()


def object_store() -> ObjectStore:
    """The store that the settings name. Needs an application context; the store itself may be used without one."""
    return store_of(current_app._get_current_object())  # type: ignore[attr-defined]


def store_of(app: Flask) -> ObjectStore:
    with _making:
        made: ObjectStore | None = app.extensions.get(_KEY)
        if made is None:
            settings: Settings = app.config["HUB_SETTINGS"]
            made = app.extensions[_KEY] = ObjectStore.from_settings(settings)
    return made
