"""Templates: each compiles, none switches escaping off for what people typed, none holds script or style of its own."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask
from jinja2 import StrictUndefined

from tests.rules.source import ROOT

TEMPLATES = ROOT / "templates"
# Drawings and element names that are constants of the component itself, never what anybody typed.
SAFE_MAY = {
    "components/icons.html": 1,
    "components/lists.html": 1,
    "components/tags.html": 1,
}
INLINE = re.compile(r"<script(?![^>]*\bnonce=)|<style|\son[a-z]+=|\sstyle=|javascript:", re.IGNORECASE)


def every_template() -> list[tuple[str, Path]]:
    return [(path.relative_to(TEMPLATES).as_posix(), path) for path in sorted(TEMPLATES.rglob("*.html"))]


def test_every_template_compiles_and_undefined_names_fail(app: Flask) -> None:
    assert app.jinja_env.undefined is StrictUndefined
    assert app.jinja_env.autoescape is not False
    for name, _ in every_template():
        app.jinja_env.get_template(name)


def test_nothing_that_people_typed_is_called_safe() -> None:
    used = {
        name: count
        for name, path in every_template()
        if (count := len(re.findall(r"\|\s*safe\b|autoescape false|Markup\(", path.read_text())))
    }
    assert {name: count for name, count in used.items() if count > SAFE_MAY.get(name, 0)} == {}


def test_no_template_holds_script_style_or_handlers_of_its_own() -> None:
    found = [
        f"{name}: {hit.group(0)}"
        for name, path in every_template()
        if (hit := INLINE.search(path.read_text()))
    ]
    assert found == []


def test_titles_of_pages_hold_no_name() -> None:
    """What stands in a tab, the history and the task bar: references at most."""
    named = []
    for name, path in every_template():
        title = re.search(r"{% block title %}(.*?){% endblock %}", path.read_text(), re.S)
        if (
            title
            and re.search(r"\{\{[^}]*(name|title|summary)\b(?!_)", title.group(1))
            and not name.startswith("layouts/")
        ):
            named.append(name)
    assert named == []
