"""The Flask extensions, made once, bound to an application in `hub.app`."""

from __future__ import annotations

from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession

from hub.core.schema import Base


class HubSession(FlaskSession):
    """The session of the hub. `hub.access.guard` puts the sharing rule on every statement that it runs."""


db = SQLAlchemy(
    model_class=Base,
    session_options={"class_": HubSession, "autoflush": False, "expire_on_commit": False},
    disable_autonaming=True,
)
login_manager = LoginManager()
