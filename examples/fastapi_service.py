"""Repair requests over HTTP with FastAPI: start, fire, show, and what is overdue. No call keeps the event loop waiting.

Run it with `pip install fastapi uvicorn` and `uvicorn --factory examples.fastapi_service:create_app`. Who calls
is taken from two headers here; a real service takes it from its login.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

import svcflow
from svcflow.errors import FieldError, StoreError, UnknownInstance, UnknownTrigger

Value = str | int | float | bool | None
STATUS: dict[type[svcflow.SvcflowError], int] = {
    svcflow.Refused: 409,
    svcflow.StaleRevision: 412,
    UnknownInstance: 404,
    UnknownTrigger: 404,
    FieldError: 422,
    StoreError: 503,
}


class Body(BaseModel):
    """What comes with a command; `command_id` makes it safe to send twice."""

    data: dict[str, Value] = {}
    evidence: dict[str, str] = {}
    command_id: str | None = None


def caller(x_actor: Annotated[str, Header()], x_roles: Annotated[str, Header()] = "") -> svcflow.Actor:
    """Return who calls."""
    return svcflow.Actor(x_actor, {role.strip() for role in x_roles.split(",") if role.strip()})


def seen(if_match: Annotated[str | None, Header()] = None) -> int | None:
    """Return the revision the caller has seen; a tag that is none of ours fits nothing."""
    if if_match is None:
        return None
    tag = if_match.strip('"')
    return int(tag) if tag.isdecimal() else -1


Caller = Annotated[svcflow.Actor, Depends(caller)]
Seen = Annotated[int | None, Depends(seen)]


def create_app(url: str = "sqlite:///service.db", clock: svcflow.VirtualClock | None = None) -> FastAPI:
    """Make the service; the engine ticks in the background while it runs."""
    engine = svcflow.AsyncEngine(url, svcflow.Catalog.shipped(), clock=clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with engine, engine.running():
            yield

    app = FastAPI(title="Repair requests", lifespan=lifespan)
    app.add_exception_handler(svcflow.SvcflowError, failed)

    @app.post("/repairs", status_code=201)
    async def start(body: Body, actor: Caller, response: Response) -> dict[str, object]:
        made = await engine.start("repair", data=body.data, actor=actor, command_id=body.command_id)
        return shown(made, response)

    @app.post("/repairs/{repair}/{trigger}")
    async def fire(
        repair: str, trigger: str, *, body: Body, actor: Caller, revision: Seen, response: Response
    ) -> dict[str, object]:
        moved = await engine.fire(
            repair,
            trigger,
            actor=actor,
            data=body.data,
            evidence=body.evidence,
            command_id=body.command_id,
            expected_revision=revision,
        )
        return shown(moved, response)

    @app.get("/repairs/{repair}")
    async def show(repair: str, response: Response) -> dict[str, object]:
        return shown(await engine.instance(repair), response)

    @app.get("/overdue")
    async def overdue(actor: Caller) -> list[dict[str, object]]:
        return [owed(item) for item in await engine.overdue(actor, procedure="repair", limit=100)]

    return app


async def failed(request: Request, error: Exception) -> JSONResponse:
    """Answer with the error's status and code, in the caller's language."""
    assert isinstance(error, svcflow.SvcflowError)
    accepted = [tag.strip()[:2] for tag in request.headers.get("Accept-Language", "").split(",")]
    zh = next((tag for tag in accepted if tag in ("zh", "en")), "en") == "zh"
    body = {"code": error.code, "message": error.text("zh" if zh else "en")}
    if isinstance(error, svcflow.Refused):
        body["rule"] = error.rule
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)
    return JSONResponse(body, status, {"Content-Language": "zh" if zh else "en"})


def shown(instance: svcflow.Instance, response: Response) -> dict[str, object]:
    """Return what callers see of an instance; its revision is the entity's tag."""
    response.headers["ETag"] = f'"{instance.revision}"'
    return {"id": instance.id, "steps": list(instance.steps), "status": instance.status}


def owed(item: svcflow.WorkItem) -> dict[str, object]:
    """Return what callers see of work that waits: a page of it is one query."""
    due = None if item.due_at is None else item.due_at.isoformat()
    return {"id": item.instance, "step": item.step, "place": item.data.get("place"), "due_at": due}
