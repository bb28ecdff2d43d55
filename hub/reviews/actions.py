"""Writes of reviews: a threshold set, an alert decided, a sample drawn, an access answered for and judged. Flush, never commit."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.audit.policy import LogPurpose
from hub.audit.recording import append
from hub.audit.sampling import Drawn, draw, new_seed
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.core.ids import new_id
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.reviews.forms import ReviewForm, SampleForm, ThresholdForm, VerdictForm
from hub.reviews.models import Alert, AlertSetting, Sample, SampledAccess
from hub.reviews.policy import check_may_set_thresholds
from hub.reviews.rules import Rule
from hub.reviews.sample_queries import draw_of
from hub.settings.catalogue import SAMPLE_DAYS
from hub.settings.values import value_of

REFERENCE = "sampled-access"


def set_threshold(actor: Actor, rule: Rule, form: ThresholdForm) -> AlertSetting:
    """A new number for a rule, from a day on. `Denied` for who reads the alerts, `Conflict` where another was set meanwhile."""
    check_may_set_thresholds(actor)
    mine = AlertSetting.organisation_id == actor.organisation_id
    newest = db.session.scalar(
        sa.select(AlertSetting.id)
        .where(mine, AlertSetting.rule == rule.code)
        .order_by(AlertSetting.id.desc())
        .limit(1)
    )
    if newest != form.newest:
        raise Conflict(
            "set_meanwhile",
            "Somebody has set this threshold since you opened the page. Nothing was saved; look at it again.",
        )
    setting = AlertSetting(
        id=new_id(),
        organisation_id=actor.organisation_id,
        rule=rule.code,
        threshold=form.threshold,
        valid_from=form.valid_from,
        set_by=actor.user_id,
    )
    db.session.add(setting)
    db.session.flush()
    append(
        actor,
        "threshold.set",
        object_id=setting.id,
        facts={
            "rule": rule.code,
            "threshold": form.threshold,
            "valid_from": form.valid_from.isoformat(),
        },
    )
    return setting


def review_alert(actor: Actor, alert_id: UUID, form: ReviewForm, *, purpose: LogPurpose) -> Alert:
    """Ends the review of one alert. `NotVisible` (also about oneself), `Conflict` (reviewed already, or grown meanwhile)."""
    actor.check_may(Permission.AUDIT_READ)
    alert = db.session.scalar(
        sa.select(Alert)
        .where(
            Alert.id == alert_id,
            Alert.organisation_id == actor.organisation_id,
            Alert.user_id != actor.user_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if alert is None:
        raise NotVisible
    if alert.reviewed_at is not None:
        raise Conflict("reviewed_already", "This alert has been reviewed already. Nothing was saved.")
    if alert.revision != form.revision:
        raise Conflict(
            "alert_grown", "More has come to this alert since you opened it. Open it again and look at it."
        )
    alert.review_event_id = append(
        actor,
        "alert.reviewed",
        object_id=alert.id,
        version=alert.revision,
        facts={"purpose": purpose.value, "decision": form.decision.value},
        texts={"note": form.note},
    )
    alert.reviewed_at, alert.reviewed_by = clock.now(), actor.user_id
    alert.decision = form.decision.value
    db.session.flush()
    return alert


def draw_sample(actor: Actor, form: SampleForm, *, purpose: LogPurpose) -> Sample:
    """Draws accesses by a new seed and asks their users. `Invalid` where nothing matches."""
    actor.check_may(Permission.AUDIT_READ)
    sample = Sample(
        id=new_id(),
        organisation_id=actor.organisation_id,
        drawn_by=actor.user_id,
        seed=new_seed(),
        since=form.since,
        before=form.before,
        category=form.category.value if form.category else None,
        act=form.act,
        size=form.size,
        due_at=clock.now() + timedelta(days=value_of(actor.partnership_id, SAMPLE_DAYS)),
    )
    drawn = draw(actor, draw_of(sample), sample.size)
    if not drawn:
        raise Invalid("nothing_drawn", errors={"from": "There is no such access in this time"})
    db.session.add(sample)
    db.session.flush()
    db.session.add_all(_access(sample, place, one) for place, one in enumerate(drawn, 1))
    db.session.flush()
    append(
        actor,
        "sample.drawn",
        object_id=sample.id,
        counted=len(drawn),
        facts={"purpose": purpose.value, "accesses": len(drawn)},
    )
    notify(
        actor,
        {one.user_id for one in drawn},
        NotificationKind.ACCESS_SAMPLED,
        reference=REFERENCE,
        address="/my-accesses",
    )
    return sample


def answer_access(actor: Actor, access_id: UUID, answer: str) -> SampledAccess:
    """The user says why they looked. `NotVisible` for another's, `Conflict` for a second answer."""
    access = _load_for_change(actor, access_id)
    if access.user_id != actor.user_id:
        raise NotVisible
    if access.answered_at is not None:
        raise Conflict("answered_already", "You have answered this already. The answer stands as it is.")
    access.answer_event_id = append(
        actor,
        "justification.given",
        object_id=access.id,
        version=access.revision,
        texts={"answer": answer},
    )
    access.answered_at = clock.now()
    db.session.flush()
    return access


def judge_access(
    actor: Actor, access_id: UUID, form: VerdictForm, *, of: UUID, purpose: LogPurpose
) -> SampledAccess:
    """Accepts an answer or not, in the sample `of`. `NotVisible`, `Denied` (one's own), `Conflict` (no answer and not overdue, or judged)."""
    actor.check_may(Permission.AUDIT_READ)
    access = _load_for_change(actor, access_id)
    if access.sample_id != of:
        raise NotVisible
    if access.user_id == actor.user_id:
        raise Denied("own_access", "Another auditor judges this: it was you who looked.")
    if access.verdict is not None:
        raise Conflict("judged_already", "This answer has been judged already. Nothing was saved.")
    due_at = db.session.scalars(sa.select(Sample.due_at).where(Sample.id == access.sample_id)).one()
    if access.answered_at is None and due_at > clock.now():
        raise Conflict("still_asked", "There is no answer yet, and there is still time for one.")
    access.verdict_event_id = append(
        actor,
        "sample.judged",
        object_id=access.id,
        version=access.revision,
        facts={"purpose": purpose.value, "verdict": form.verdict.value},
        texts={"note": form.note},
    )
    access.verdict, access.judged_at, access.judged_by = form.verdict.value, clock.now(), actor.user_id
    db.session.flush()
    return access


def _load_for_change(actor: Actor, access_id: UUID) -> SampledAccess:
    found = db.session.scalar(
        sa.select(SampledAccess)
        .where(SampledAccess.id == access_id, SampledAccess.organisation_id == actor.organisation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotVisible
    return found


def _access(sample: Sample, place: int, one: Drawn) -> SampledAccess:
    return SampledAccess(
        sample_id=sample.id,
        organisation_id=sample.organisation_id,
        place=place,
        event_id=one.event_id,
        event_at=one.at,
        act=one.act,
        object_type=one.object_type,
        object_id=one.object_id,
        user_id=one.user_id,
    )
