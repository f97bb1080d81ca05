"""A small HTTP service around an engine: start, fire, list deviations. Errors become HTTP statuses.

Run it with `pip install fastapi uvicorn` and `uvicorn --factory examples.fastapi_service:create_app`. Who calls
is taken from two headers here; a real service takes it from its login.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

import svcflow
from svcflow.errors import FieldError, UnknownInstance, UnknownProcedure, UnknownTrigger

Value = str | int | float | bool | None
STATUS: dict[type[svcflow.SvcflowError], int] = {
    svcflow.Refused: 409,
    svcflow.StaleRevision: 409,
    UnknownInstance: 404,
    UnknownProcedure: 404,
    UnknownTrigger: 404,
    FieldError: 422,
}


class Body(BaseModel):
    """What comes with a command; `command_id` makes it safe to send twice."""

    data: dict[str, Value] = {}
    evidence: dict[str, str] = {}
    command_id: str | None = None


def caller(x_actor: Annotated[str, Header()], x_roles: Annotated[str, Header()] = "") -> svcflow.Actor:
    """Return who calls."""
    return svcflow.Actor(x_actor, {role.strip() for role in x_roles.split(",") if role.strip()})


Caller = Annotated[svcflow.Actor, Depends(caller)]


def create_app(url: str = "sqlite:///service.db", clock: svcflow.VirtualClock | None = None) -> FastAPI:
    """Make the service; the engine ticks in the background while it runs."""
    engine = svcflow.Engine(url, svcflow.Catalog.shipped(), clock=clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with engine, engine.running():
            yield

    app = FastAPI(title="svcflow example", lifespan=lifespan)
    add_routes(app, engine)
    for kind, status in STATUS.items():
        app.add_exception_handler(kind, answer_with(status))
    return app


def add_routes(app: FastAPI, engine: svcflow.Engine) -> None:
    """Add the routes; they are plain functions, so each call has a thread of its own."""

    @app.post("/procedures/{procedure}/instances", status_code=201)
    def start(procedure: str, body: Body, actor: Caller) -> dict[str, object]:
        made = engine.start(procedure, data=body.data, actor=actor, command_id=body.command_id)
        return shown(made)

    @app.post("/instances/{instance}/{trigger}")
    def fire(instance: str, trigger: str, body: Body, actor: Caller) -> dict[str, object]:
        moved = engine.fire(
            instance,
            trigger,
            actor=actor,
            data=body.data,
            evidence=body.evidence,
            command_id=body.command_id,
        )
        return shown(moved)

    @app.get("/deviations")
    def deviations(procedure: str | None = None, kind: str | None = None) -> list[dict[str, object]]:
        engine.tick()
        found = engine.deviations(procedure=procedure, kind=kind)
        return [
            {"instance": one.instance, "kind": one.kind, "step": one.step, "at": one.occurred_at.isoformat()}
            for one in found
        ]


def answer_with(status: int):  # type: ignore[no-untyped-def]  # noqa: ANN201  # starlette's handler type is private
    """Return a handler that answers with the error's code and both languages."""

    def handler(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, svcflow.SvcflowError)
        body = {"code": error.code, "zh": error.text("zh"), "en": error.text("en")}
        if isinstance(error, svcflow.Refused):
            body["rule"] = error.rule
        return JSONResponse(body, status_code=status)

    return handler


def shown(instance: svcflow.Instance) -> dict[str, object]:
    """Return what callers see of an instance."""
    return {
        "id": instance.id,
        "steps": list(instance.steps),
        "status": instance.status,
        "revision": instance.revision,
    }
