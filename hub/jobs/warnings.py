"""Tells the parties of agreements that one of them ends soon."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from threading import Event

import structlog

from hub.accounts import service
from hub.agreements.warning import find_ending, warn_parties
from hub.core import clock
from hub.core.errors import Unavailable
from hub.extensions import db

log = structlog.get_logger("hub.warnings")


def warn_of_ends(stop: Event) -> int:
    """One warning for each agreement and each of the days of warning, written in the name of its owner; how many."""
    ending = find_ending(clock.now())
    db.session.commit()
    given = 0
    for owner_id, agreements in groupby(ending, itemgetter(1)):
        if stop.is_set():
            break
        try:
            with service.acting_for(owner_id) as actor:
                for agreement_id, _ in agreements:
                    given += bool(warn_parties(actor, agreement_id))
                    db.session.commit()
        except Unavailable as error:  # one organisation's trouble keeps nobody else from being told
            log.error("warnings_not_given", organisation=str(owner_id), kind=error.code)
            db.session.rollback()
    return given
