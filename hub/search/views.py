"""The search page."""

from __future__ import annotations

from flask import render_template, request

from hub.access.permissions import Permission
from hub.access.vocabulary import Marking
from hub.core.errors import Invalid
from hub.search import queries
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.routes import Data, Limit, Pages

pages = Pages("search", __name__)


@pages.page("/search", needs=Permission.SEARCH, event="search.run", data=Data.PERSONAL, limit=Limit.SEARCH)
def results() -> str | tuple[str, int]:
    terms = request.args.get("q", "")
    if not terms.strip():
        return render_template("search/results.html", terms="", found=None, errors={})
    try:
        found = queries.list_matches(current_actor(), terms)
    except Invalid as invalid:
        return render_template("search/results.html", terms=terms, found=None, errors=invalid.errors), 422
    mark_page(Marking.OFFICIAL_SENSITIVE, "personal data")
    return render_template("search/results.html", terms=terms, found=found, errors={})
