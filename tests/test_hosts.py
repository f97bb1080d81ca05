"""The same service on three hosts, FastAPI, Flask and Django: each answers alike, through its own test client."""

from __future__ import annotations

import asyncio
import importlib.util
import sqlite3
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from svcflow.errors import StoreError
from svcflow.text import Text

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
DISPATCHER = {"X-Actor": "dispatcher-1", "X-Roles": "dispatcher"}
TECHNICIAN = {"X-Actor": "technician-1", "X-Roles": "technician"}
PLACE = {"data": {"place": "3-1204"}}


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]


Ask = Callable[[str, str, Mapping[str, Any] | None, Mapping[str, str]], Answer]


class Service(NamedTuple):
    """A running service: how it is asked, and the file it keeps."""

    ask: Ask
    file: Path

    def get(self, way: str, **headers: str) -> Answer:
        return self.ask("GET", way, None, headers)

    def post(self, way: str, body: Mapping[str, Any], headers: Mapping[str, str] = DISPATCHER) -> Answer:
        return self.ask("POST", way, body, headers)

    def started(self) -> str:
        answer = self.post("/repairs", PLACE)
        assert answer.status == 201, answer
        return str(answer.body["id"])

    def rows(self, table: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()  # noqa: S608  # our own


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def fastapi(tmp_path) -> Iterator[Service]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using `httpx` with")  # starlette's, about its own test client
        from fastapi.testclient import TestClient
    file = tmp_path / "service.db"
    with TestClient(module("fastapi_service").create_app(f"sqlite:///{file}")) as client:

        def ask(method: str, way: str, body: object, headers: Mapping[str, str]) -> Answer:
            answer = client.request(method, way, json=body, headers=headers)
            return Answer(answer.status_code, answer.json(), answer.headers)

        yield Service(ask, file)


@pytest.fixture
def flask(tmp_path) -> Iterator[Service]:
    file = tmp_path / "service.db"
    app = module("flask_service").create_app(str(file))
    app.testing = True
    client = app.test_client()

    def ask(method: str, way: str, body: object, headers: Mapping[str, str]) -> Answer:
        answer = client.open(way, method=method, json=body, headers=headers)
        return Answer(answer.status_code, answer.get_json(), answer.headers)

    with app.extensions["svcflow"]:
        yield Service(ask, file)
    app.extensions["database"].dispose()


@pytest.fixture(scope="session")
def django_file(tmp_path_factory) -> Iterator[Path]:
    """Django is set up once in a process."""
    file = tmp_path_factory.mktemp("django") / "service.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERVICE_DB", str(file))
        made = module("django_service")
    yield file
    made.engine.close()
    made.connection.close()


@pytest.fixture
def django(django_file) -> Service:
    from django.test import Client

    return Service(django_ask(Client()), django_file)


def django_ask(client: Any) -> Ask:
    def ask(method: str, way: str, body: object, headers: Mapping[str, str]) -> Answer:
        content = {} if body is None else {"data": body, "content_type": "application/json"}
        answer = getattr(client, method.lower())(way, headers=headers, **content)
        return Answer(answer.status_code, answer.json(), answer.headers)

    return ask


@pytest.fixture(params=["fastapi", "flask", "django"])
def service(request) -> Service:
    return request.getfixturevalue(request.param)


def test_what_is_overdue_for_the_caller_is_shown(service):
    """What is in time is not in the list, nor what another role has to do."""
    service.started()
    assert service.get("/overdue", **DISPATCHER).body == []
    repair = service.started()
    with closing(sqlite3.connect(service.file)) as connection:  # as if it had been due last month
        connection.execute(
            "UPDATE svcflow_work SET due_us = due_us - 2592000000000 WHERE instance = ?", (repair,)
        )
        connection.commit()
    (found,) = service.get("/overdue", **DISPATCHER).body
    assert (found["id"], found["step"], found["place"]) == (repair, "reported", "3-1204")
    assert found["due_at"].endswith("+00:00")
    assert service.get("/overdue", **TECHNICIAN).body == []


def test_a_repair_is_started_moved_and_shown(service):
    """start, fire and show answer with the instance, and its revision as the entity's tag."""
    made = service.post("/repairs", PLACE)
    way = f"/repairs/{made.body['id']}"
    assert (made.status, made.body["steps"]) == (201, ["reported"])
    moved = service.post(f"{way}/accept", {"evidence": {"order": "o-1"}})
    assert (moved.status, moved.body["steps"]) == (200, ["accepted"])
    shown = service.get(way)
    assert (shown.status, shown.body, shown.headers["ETag"]) == (200, moved.body, moved.headers["ETag"])
    assert shown.headers["ETag"] != made.headers["ETag"]


@pytest.mark.parametrize(
    ("accepted", "language", "words"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh", "调度员"),
        ("en-GB,en;q=0.9,zh;q=0.5", "en", "Dispatcher"),
        ("fr", "en", "Dispatcher"),
    ],
)
def test_a_refusal_is_409_with_its_rule_in_the_language_asked_for(service, accepted, language, words):
    """Who may not do it is told by which rule, in Chinese or English."""
    way = f"/repairs/{service.started()}/accept"
    answer = service.post(way, {}, {**TECHNICIAN, "Accept-Language": accepted})
    assert (answer.status, answer.body["code"], answer.body["rule"]) == (409, "refused", "role")
    assert words in answer.body["message"]
    assert answer.headers["Content-Language"] == language


def test_what_is_not_known_is_404(service):
    """Instances and triggers that do not exist are not found."""
    assert service.get("/repairs/nothing").body["code"] == "unknown-instance"
    for way in ("/repairs/nothing/accept", f"/repairs/{service.started()}/acept"):
        assert service.post(way, {}).status == 404


def test_values_that_do_not_fit_are_422(service):
    """A value that does not fit its field is named."""
    answer = service.post("/repairs", {"data": {"place": "3-1204", "priority": "soon"}})
    assert (answer.status, answer.body["code"]) == (422, "field")
    assert "priority" in answer.body["message"]


def test_a_revision_that_has_passed_is_412(service):
    """If-Match with the tag of an older answer does nothing; with the present one it goes through."""
    made = service.post("/repairs", PLACE)
    way = f"/repairs/{made.body['id']}"
    tag = service.post(f"{way}/accept", {"evidence": {"order": "o-1"}}).headers["ETag"]
    for stale in (made.headers["ETag"], '"something"'):
        answer = service.post(f"{way}/dispatch", {}, {**DISPATCHER, "If-Match": stale})
        assert (answer.status, answer.body["code"]) == (412, "stale-revision")
    moved = service.post(f"{way}/dispatch", {}, {**DISPATCHER, "If-Match": tag})
    assert (moved.status, moved.body["steps"]) == (200, ["dispatched"])


def test_a_command_sent_twice_is_done_once(service):
    """A command with the id of one that was done gives its answer again."""
    body = {**PLACE, "command_id": f"form-{service.file.parent.name}"}
    answers = [service.post("/repairs", body) for _ in range(2)]
    assert answers[0].body == answers[1].body
    assert [answer.status for answer in answers] == [201, 201]


def test_a_busy_store_is_503(service, monkeypatch):
    """What the store cannot do now is for the caller to try again."""
    way = f"/repairs/{service.started()}/accept"

    def busy(*_: object) -> None:
        raise StoreError(Text(zh="忙", en="busy"))

    monkeypatch.setattr("svcflow.store.unit_of_work.UnitOfWork.save", busy)
    assert service.post(way, {}).status == 503


ORDERS = {"flask": "orders", "django": "service_order"}


@pytest.mark.parametrize("host", ORDERS)
def test_the_order_and_the_repair_are_kept_together(host, request):
    """What the host keeps beside the instance is there when it started."""
    service = request.getfixturevalue(host)
    made = service.post("/repairs", {**PLACE, "cost_centre": "4711"}).body["id"]
    assert (made, "4711") in service.rows(ORDERS[host])
    assert service.get(f"/repairs/{made}").status == 200


@pytest.mark.parametrize("host", ORDERS)
def test_neither_is_kept_when_the_order_fails(host, request, monkeypatch):
    """An error of the host after the start takes the started instance back."""
    service = request.getfixturevalue(host)
    before = service.rows("svcflow_facts"), service.rows(ORDERS[host])

    class Away(Exception):
        pass

    def away(*_: object, **__: object) -> None:
        raise Away

    if host == "flask":
        monkeypatch.setattr("sqlalchemy.orm.Session.execute", away)
    else:
        monkeypatch.setattr(sys.modules["django_service"].Order.objects, "get_or_create", away)
    with pytest.raises(Away):
        service.post("/repairs", {**PLACE, "cost_centre": "4711"})
    monkeypatch.undo()
    assert (service.rows("svcflow_facts"), service.rows(ORDERS[host])) == before
    assert service.post("/repairs", PLACE).status == 201


def test_django_answers_as_an_asgi_application_too(django):
    """Its views that are coroutines run on the event loop of the server."""
    from django.test import AsyncClient

    made = django.started()

    async def ask() -> Any:
        return await AsyncClient().get(f"/repairs/{made}")

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["id"]) == (200, made)
