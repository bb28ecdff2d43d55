"""Whatever people do one after the other, both walls agree with the oracle: few lives with every change, many at night."""

from __future__ import annotations

import secrets
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from hub.app import ENGINE
from hub.extensions import db
from tests.access.ground import Ground
from tests.access.living import Life
from tests.access.verdicts import Result
from tests.conftest import connect_to, on_database
from tests.fixtures.world import World

USUAL = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=[Phase.explicit, Phase.generate],
)


def lives(cluster: SimpleNamespace, template: SimpleNamespace, world: World, chosen: settings) -> Result:
    tally = Result()

    class Ours(Life):
        def __init__(self) -> None:
            super().__init__()
            self.tally = tally
            self.ground = ground(cluster, template, world)

    run_state_machine_as_test(Ours, settings=chosen)
    return tally


def ground(cluster: SimpleNamespace, template: SimpleNamespace, world: World) -> Ground:
    """A database of this life's own."""
    name = f"hub_{secrets.token_hex(6)}"
    with template.admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template.name}")
    db.session.remove()
    db.engine.dispose()
    connect_to(on_database(cluster.app, name))
    superuser, app = (
        sa.create_engine(on_database(url, name), poolclass=sa.StaticPool, connect_args=ENGINE["connect_args"])
        for url in (cluster.superuser, cluster.app)
    )

    def end() -> None:
        db.session.remove()
        db.engine.dispose()
        superuser.dispose()
        app.dispose()
        with template.admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")

    return Ground(world, superuser, app, end)


@pytest.mark.slow
def test_after_every_act_everybody_reads_what_the_oracle_says(
    cluster: SimpleNamespace, template: SimpleNamespace, world: World, app: Flask
) -> None:
    """The same lives each time: what is found by chance is looked for at night."""
    tally = lives(
        cluster, template, world, settings(USUAL, max_examples=4, stateful_step_count=20, derandomize=True)
    )
    assert tally.comparisons > 4_000
    # where nobody ever read anything, all would agree
    assert tally.comparisons / 20 < tally.allowed < tally.comparisons * 9 / 10


@pytest.mark.nightly
def test_many_lives(cluster: SimpleNamespace, template: SimpleNamespace, world: World, app: Flask) -> None:
    tally = lives(cluster, template, world, settings(USUAL, max_examples=40, stateful_step_count=50))
    print(
        f"lives: {tally.worlds} acts, {tally.comparisons} comparisons, {len(tally.differences)} differences"
    )
    assert tally.comparisons > 200_000
