"""Repair requests over HTTP with Flask and a session of SQLAlchemy: the order and the request are kept together.

Run it with `pip install flask` and `flask --app examples.flask_service:create_app run`. Who calls is taken from
two headers here; a real service takes it from its login.
"""

from __future__ import annotations

import flask
from flask import Flask, Response, request
from sqlalchemy import Column, MetaData, String, Table, create_engine
from sqlalchemy.orm import scoped_session, sessionmaker

import svcflow
from svcflow.errors import FieldError, StoreError, UnknownInstance, UnknownTrigger

STATUS: dict[type[svcflow.SvcflowError], int] = {
    svcflow.Refused: 409,
    svcflow.StaleRevision: 412,
    UnknownInstance: 404,
    UnknownTrigger: 404,
    FieldError: 422,
    StoreError: 503,
}
metadata = MetaData()
orders = Table(
    "orders",
    metadata,
    Column("repair", String(80), primary_key=True),
    Column("cost_centre", String(8), nullable=False),
)


def create_app(path: str = "service.db", clock: svcflow.VirtualClock | None = None) -> Flask:
    """Make the service over one SQLite file, which holds its own table and the engine's."""
    app = Flask(__name__)
    engine = svcflow.Engine(f"sqlite:///{path}?shared=true", svcflow.Catalog.shipped(), clock=clock)
    database = create_engine(f"sqlite:///{path}")
    metadata.create_all(database)
    session = scoped_session(sessionmaker(database))
    app.extensions |= {"svcflow": engine, "database": database}
    app.register_error_handler(svcflow.SvcflowError, failed)

    @app.teardown_appcontext
    def end(_: BaseException | None) -> None:
        session.remove()

    @app.post("/repairs")
    def start() -> tuple[Response, int]:
        body = request.get_json()
        with session.begin():
            made = engine.on(session).start(
                "repair", data=body.get("data", {}), actor=caller(), command_id=body.get("command_id")
            )
            order = {"repair": made.id, "cost_centre": body.get("cost_centre", "")}
            session.execute(orders.insert().prefix_with("OR IGNORE"), order)
        return shown(made), 201

    @app.post("/repairs/<repair>/<trigger>")
    def fire(repair: str, trigger: str) -> Response:
        body = request.get_json()
        moved = engine.fire(
            repair,
            trigger,
            actor=caller(),
            data=body.get("data", {}),
            evidence=body.get("evidence", {}),
            command_id=body.get("command_id"),
            expected_revision=seen(),
        )
        return shown(moved)

    @app.get("/repairs/<repair>")
    def show(repair: str) -> Response:
        return shown(engine.instance(repair))

    @app.get("/overdue")
    def overdue() -> Response:
        return flask.jsonify([owed(item) for item in engine.overdue(caller(), procedure="repair", limit=100)])

    return app


def caller() -> svcflow.Actor:
    """Return who calls."""
    roles = request.headers.get("X-Roles", "").split(",")
    return svcflow.Actor(request.headers["X-Actor"], {role.strip() for role in roles if role.strip()})


def seen() -> int | None:
    """Return the revision the caller has seen; a tag that is none of ours fits nothing."""
    tag = request.headers.get("If-Match")
    if tag is None:
        return None
    return int(tag.strip('"')) if tag.strip('"').isdecimal() else -1


def failed(error: svcflow.SvcflowError) -> tuple[Response, int]:
    """Answer with the error's status and code, in the caller's language."""
    zh = request.accept_languages.best_match(["en", "zh"]) == "zh"
    body = {"code": error.code, "message": error.text("zh" if zh else "en")}
    if isinstance(error, svcflow.Refused):
        body["rule"] = error.rule
    response = flask.jsonify(body)
    response.content_language = "zh" if zh else "en"
    return response, next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def shown(instance: svcflow.Instance) -> Response:
    """Return what callers see of an instance; its revision is the entity's tag."""
    response = flask.jsonify(id=instance.id, steps=list(instance.steps), status=instance.status)
    response.set_etag(str(instance.revision))
    return response


def owed(item: svcflow.WorkItem) -> dict[str, object]:
    """Return what callers see of work that waits: a page of it is one query."""
    due = None if item.due_at is None else item.due_at.isoformat()
    return {"id": item.instance, "step": item.step, "place": item.data.get("place"), "due_at": due}
