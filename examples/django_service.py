"""Repair requests over HTTP with Django: the order and the request are kept together, in `transaction.atomic()`.

Run it with `pip install django uvicorn` and `uvicorn examples.django_service:application`; `SERVICE_DB` names the
file. Who calls is taken from two headers here; a real service takes it from its login.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings

import svcflow
from svcflow.errors import FieldError, StoreError, UnknownInstance, UnknownTrigger

DATABASE = os.environ.get("SERVICE_DB", "service.db")
settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}},
    MIDDLEWARE=[f"{__name__}.Errors"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
)
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402  # Django wants to be set up first
from django.db import connection, models, transaction  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

STATUS: dict[type[svcflow.SvcflowError], int] = {
    svcflow.Refused: 409,
    svcflow.StaleRevision: 412,
    UnknownInstance: 404,
    UnknownTrigger: 404,
    FieldError: 422,
    StoreError: 503,
}
service = svcflow.AsyncEngine(f"sqlite:///{DATABASE}?shared=true", svcflow.Catalog.shipped())
engine = service.engine
"""The same engine for views that are no coroutines."""


class Order(models.Model):  # type: ignore[misc]  # Django has no types
    """What the host keeps beside the request."""

    repair = models.CharField(max_length=80, primary_key=True)
    cost_centre = models.CharField(max_length=8)

    class Meta:
        """Where Django files it; there is no project around it."""

        app_label = "service"

    def __str__(self) -> str:
        return str(self.repair)


if Order._meta.db_table not in connection.introspection.table_names():  # noqa: SLF001  # Django's own name for it
    with connection.schema_editor() as editor:  # a project has a migration for this
        editor.create_model(Order)


class Errors:
    """Answer with the status and code of a svcflow error, in the caller's language."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        """Pass the request on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> JsonResponse | None:
        """Leave other errors to Django."""
        if not isinstance(error, svcflow.SvcflowError):
            return None
        accepted = [tag.strip()[:2] for tag in request.headers.get("Accept-Language", "").split(",")]
        zh = next((tag for tag in accepted if tag in ("zh", "en")), "en") == "zh"
        body = {"code": error.code, "message": error.text("zh" if zh else "en")}
        if isinstance(error, svcflow.Refused):
            body["rule"] = error.rule
        status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)
        return JsonResponse(body, status=status, headers={"Content-Language": "zh" if zh else "en"})


def start(request: HttpRequest) -> JsonResponse:
    """Keep an order and start its request, both or neither."""
    body = json.loads(request.body)
    with transaction.atomic():
        made = engine.on(connection.connection).start(
            "repair", data=body.get("data", {}), actor=caller(request), command_id=body.get("command_id")
        )
        Order.objects.get_or_create(repair=made.id, defaults={"cost_centre": body.get("cost_centre", "")})
    return shown(made, 201)


async def fire(request: HttpRequest, repair: str, trigger: str) -> JsonResponse:
    """Move a request, without keeping the event loop waiting."""
    body = json.loads(request.body)
    moved = await service.fire(
        repair,
        trigger,
        actor=caller(request),
        data=body.get("data", {}),
        evidence=body.get("evidence", {}),
        command_id=body.get("command_id"),
        expected_revision=seen(request),
    )
    return shown(moved)


async def show(_: HttpRequest, repair: str) -> JsonResponse:
    """Show a request."""
    return shown(await service.instance(repair))


async def overdue(request: HttpRequest) -> JsonResponse:
    """Show what is overdue for the caller."""
    found = await service.overdue(caller(request), procedure="repair", limit=100)
    return JsonResponse([owed(item) for item in found], safe=False)


def caller(request: HttpRequest) -> svcflow.Actor:
    """Return who calls."""
    roles = request.headers.get("X-Roles", "").split(",")
    return svcflow.Actor(request.headers["X-Actor"], {role.strip() for role in roles if role.strip()})


def seen(request: HttpRequest) -> int | None:
    """Return the revision the caller has seen; a tag that is none of ours fits nothing."""
    tag = request.headers.get("If-Match")
    if tag is None:
        return None
    return int(tag.strip('"')) if tag.strip('"').isdecimal() else -1


def shown(instance: svcflow.Instance, status: int = 200) -> JsonResponse:
    """Return what callers see of an instance; its revision is the entity's tag."""
    body = {"id": instance.id, "steps": list(instance.steps), "status": instance.status}
    return JsonResponse(body, status=status, headers={"ETag": f'"{instance.revision}"'})


def owed(item: svcflow.WorkItem) -> dict[str, object]:
    """Return what callers see of work that waits: a page of it is one query."""
    due = None if item.due_at is None else item.due_at.isoformat()
    return {"id": item.instance, "step": item.step, "place": item.data.get("place"), "due_at": due}


urlpatterns = [
    path("overdue", overdue),
    path("repairs", start),
    path("repairs/<str:repair>", show),
    path("repairs/<str:repair>/<str:trigger>", fire),
]
application = get_asgi_application()
