"""CloudEvents over a real HTTP server on this machine: what is sent, in which order, and what a failure is."""

from __future__ import annotations

import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from svcflow import Actor, Engine, Recipient, VirtualClock
from svcflow.cloudevents import SIGNATURE, CloudEvents, signature
from svcflow.errors import SubscriptionError
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.runtime.outbox.delivery import Delivered
from waiting import PATIENCE_S

LI = Actor("li.wei")
PROCEDURE = Procedure(
    id="repair",
    fields=(Field("place"), Field("contact", personal=True)),
    steps=(
        Step("reported", within="1h", to=(Transition("accept", "working"),)),
        Step("working", to=(Transition("again", "working"),)),
    ),
)


class Receiver:
    """Answer posted requests with the statuses it is told, 200 when there are none, and keep what was posted."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.answers = threading.Event()
        self.answers.set()
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/facts?desk=1"

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(body) for body in self.bodies]

    @property
    def ids(self) -> list[object]:
        return [event["id"] for event in self.events]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.paths.append(self.path)
                receiver.headers.append(dict(self.headers))
                receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.answers.wait(PATIENCE_S)
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                said = b"" if status == 200 else b"out of order"
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None: ...

        return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


@pytest.fixture
def engine(clock) -> Iterator[Engine]:
    with Engine("memory://", PROCEDURE, clock=clock) as made:
        yield made


def start(engine: Engine, name: str = "r1") -> None:
    data = {"place": "3-1204", "contact": "13800000000"}
    engine.start("repair", data=data, actor=LI, recipient=Recipient("zhang", "staff"), instance_id=name)


def subscribe(engine: Engine, receiver: Receiver, *kinds: str, attempts: int = 3, **options: object) -> None:
    handler = CloudEvents(receiver.url, source="/services", **options)
    engine.on_fact(*kinds, name="desk", attempts=attempts)(handler)


def test_a_fact_is_posted_as_a_cloud_event(engine, receiver, clock):
    """All attributes of CloudEvents 1.0, structured JSON, the headers given, the path and query of the URL."""
    subscribe(engine, receiver, "overdue", headers={"Authorization": "Bearer x"})
    start(engine)
    clock.advance(timedelta(hours=2))
    engine.tick()
    assert engine.deliver() == Delivered(1)
    (event,) = receiver.events
    data = event.pop("data")
    assert event == {
        "specversion": "1.0",
        "id": "r1/2",
        "source": "/services",
        "type": "svcflow.fact.overdue",
        "subject": "r1",
        "time": "2026-03-02T13:00:00Z",
        "datacontenttype": "application/json",
    }
    assert (data["kind"], data["limit"], data["sequence"]) == ("Overdue", "reported", 2)
    assert receiver.headers[0]["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert receiver.headers[0]["Authorization"] == "Bearer x"
    assert receiver.paths == ["/facts?desk=1"]
    assert SIGNATURE not in receiver.headers[0]


def test_personal_data_is_left_out_unless_it_is_asked_for(engine, receiver):
    """Neither persons nor personal fields nor what stands for them is sent; personal=True sends them as they are."""
    subscribe(engine, receiver)
    engine.on_fact(name="trusted")(CloudEvents(receiver.url, source="/services", personal=True))
    start(engine)
    engine.deliver()
    plain, trusted = receiver.events
    assert plain["data"]["data"] == {"place": "3-1204"}
    assert not {"actor", "recipient"} & set(plain["data"])
    body = receiver.bodies[0]
    assert not any(part in body for part in (b"li.wei", b"zhang", b"138000", b"~"))
    assert plain["data"]["group"] == "staff"
    assert trusted["data"]["data"]["contact"] == "13800000000"
    assert (trusted["data"]["actor"], trusted["data"]["recipient"]) == ("li.wei", "zhang")


def test_a_refused_post_is_tried_again_with_the_same_id_and_in_order(engine, receiver, clock):
    """500 is no delivery: the later facts of the instance wait, others are posted; the id of each attempt is the same."""
    subscribe(engine, receiver)
    receiver.statuses = [500, 204]
    start(engine, "r1")
    start(engine, "r2")
    engine.fire("r1", "accept", actor=LI)
    assert engine.deliver() == Delivered(1, 1, 0)
    assert receiver.ids == ["r1/1", "r2/1"]
    clock.advance(timedelta(seconds=1))
    assert engine.deliver() == Delivered(2)
    assert receiver.ids[2:] == ["r1/1", "r1/2"]
    assert receiver.bodies[0] == receiver.bodies[2]


@pytest.mark.parametrize("status", [302, 404, 410, 503])
def test_only_2xx_is_a_delivery(engine, receiver, status):
    """A redirect is not followed, and nothing else counts; after the last attempt it is a dead letter that says why."""
    subscribe(engine, receiver, attempts=1)
    receiver.statuses = [status]
    start(engine)
    assert engine.deliver() == Delivered(0, 0, 1)
    (letter,) = engine.dead_letters()
    assert letter.error.endswith(f"/facts did not take it: {status} {HTTPStatus(status).phrase}")
    assert "out of order" not in letter.error  # what a receiver says may quote what it was sent
    assert receiver.ids == ["r1/1"]
    engine.redeliver("desk")
    assert engine.deliver() == Delivered(1)
    assert receiver.ids == ["r1/1", "r1/1"]


def test_a_receiver_that_does_not_answer_in_time_has_not_taken_it(engine, receiver):
    """After the timeout the attempt is over and counts as failed."""
    subscribe(engine, receiver, attempts=1, timeout=timedelta(milliseconds=50))
    receiver.answers.clear()
    start(engine)
    assert engine.deliver() == Delivered(0, 0, 1)
    receiver.answers.set()
    assert "TimeoutError" in engine.dead_letters()[0].error


def test_a_receiver_that_is_not_there_is_a_failure_like_others(engine, receiver):
    """A refused connection, and a server that speaks no TLS, are noted and say where."""
    gone = CloudEvents("http://127.0.0.1:9/facts", source="/s")
    engine.on_fact(name="gone", attempts=1)(gone)
    plain = CloudEvents(
        receiver.url.replace("http:", "https:"), source="/s", tls=ssl.create_default_context()
    )
    engine.on_fact(name="plain", attempts=1)(plain)
    start(engine)
    assert engine.deliver() == Delivered(0, 0, 2)
    first, second = engine.dead_letters()
    assert "http://127.0.0.1/facts did not take it: ConnectionRefusedError" in first.error
    assert "SSLError" in second.error


@pytest.mark.parametrize("secret", ["shared", b"shared"])
def test_a_body_is_signed_with_the_secret(engine, receiver, secret):
    """The receiver computes the same HMAC over the bytes it was sent; over other bytes it is another."""
    subscribe(engine, receiver, secret=secret)
    start(engine)
    engine.deliver()
    sent, body = receiver.headers[0][SIGNATURE], receiver.bodies[0]
    assert sent == "sha256=" + hmac.new(b"shared", body, "sha256").hexdigest()
    assert hmac.compare_digest(sent, signature(body, secret))
    assert sent != signature(body + b" ", secret)
    assert sent != signature(body, "other")


@pytest.mark.parametrize(
    ("url", "zh", "en"),
    [
        ("desk.example/facts", "不是 http 或 https 地址", "no http or https URL"),
        ("ftp://desk.example", "不是 http 或 https 地址", "no http or https URL"),
        ("https:///facts", "不是 http 或 https 地址", "no http or https URL"),
        ("https://desk.example:none/", "不是 http 或 https 地址", "no http or https URL"),
        ("https://me:word@desk.example/", "不能含用户名或密码", "put them into `headers`"),
    ],
)
def test_what_is_no_url_of_a_receiver_is_refused(url, zh, en):
    """The mistake shows when the handler is made, not at the first fact; a password is not repeated."""
    with pytest.raises(SubscriptionError) as raised:
        CloudEvents(url, source="/s")
    assert zh in raised.value.text("zh")
    assert en in raised.value.text("en")
    assert "word@" not in str(raised.value)


def test_it_wants_a_name(engine):
    """An object has no name of its own to keep the cursor under."""
    with pytest.raises(SubscriptionError, match="give name="):
        engine.on_fact("overdue")(CloudEvents("https://desk.example", source="/s"))
