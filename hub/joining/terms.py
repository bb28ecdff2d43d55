"""The terms of acceptable use, by version. Nobody works before having accepted those in force; a new version asks again once.

The text of a version is `templates/joining/terms/<version>.html` and never changes once it is in force: people have accepted
those words. A new text is a new version, with its own file and its line here.
"""

from __future__ import annotations

from flask import Flask

from hub.web.identity import Duty, Visit, install_duty

VERSIONS = ("2026-11",)
IN_FORCE = VERSIONS[-1]
DUTY = Duty(
    "joining.terms",
    "terms_not_accepted",
    "Accept the terms of use first: reload the page. Nothing was changed.",
)


def install(app: Flask) -> None:
    install_duty(app, _owed)


def _owed(visit: Visit) -> Duty | None:
    return None if visit.terms_version == IN_FORCE else DUTY
