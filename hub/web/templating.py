"""Templates: ours fail on an undefined name, the GOV.UK library's (which relies on undefined ones) do not."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import jinja2
from flask import Flask
from flask.templating import Environment
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined, Undefined

from hub.web import filters

FOLDER = Path(__file__).resolve().parents[2] / "templates"
LIBRARY = "govuk_frontend_jinja"


class HubEnvironment(Environment):
    """Loads the library's templates through an overlay that tolerates undefined names."""

    _tolerant: HubEnvironment | None = None

    def _load_template(self, name: Any, globals: MutableMapping[str, Any] | None) -> jinja2.Template:
        if self.undefined is StrictUndefined and str(name).startswith(f"{LIBRARY}/"):
            if self._tolerant is None:
                self._tolerant = self.overlay(undefined=Undefined)
            return self._tolerant._load_template(name, globals)
        return super()._load_template(name, globals)


def install(app: Flask) -> None:
    """Call before anything touches `app.jinja_env`."""
    app.jinja_environment = HubEnvironment
    app.jinja_loader = ChoiceLoader(
        [FileSystemLoader(FOLDER), PrefixLoader({LIBRARY: PackageLoader(LIBRARY)})]
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(filters.FILTERS)
