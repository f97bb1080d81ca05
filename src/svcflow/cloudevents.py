"""CloudEvents 1.0 over HTTP: a handler that posts each fact as an event in structured JSON.

    engine.on_fact("overdue", name="desk")(CloudEvents("https://desk.example/facts", source="/services"))

`id` is the same at each attempt, so that a receiver can drop what it has already. The handler does not retry:
it raises unless the answer is 2xx, and the subscription tries again.
"""

from __future__ import annotations

import hmac
import ssl
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

import orjson

from svcflow.errors import DeliveryError, SubscriptionError
from svcflow.journal.canonical import to_record
from svcflow.kernel.facts import Fact
from svcflow.runtime.outbox.subscription import Delivery, snake
from svcflow.text import Text

__all__ = ["SIGNATURE", "CloudEvents", "signature"]

SIGNATURE = "X-Svcflow-Signature"
"""The header that holds the signature of a body, when there is a secret."""

_SCHEMES = {"http": 80, "https": 443}
_TYPE = "application/cloudevents+json; charset=utf-8"
_NONE: Mapping[str, str] = {}
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class CloudEvents:
    """Handler of facts that posts each to a URL.

    `source` names the sender, a URI reference by the CloudEvents specification. Persons and fields marked `personal`
    are left out unless `personal` is true. With a `secret`, each body is signed: see `signature`. `timeout` is for
    each wait, not for all together; keep it below the subscription's lease. Redirects are not followed.

    Raises: SubscriptionError for what is no http or https URL.
    """

    def __init__(
        self,
        url: str,
        *,
        source: str,
        headers: Mapping[str, str] = _NONE,
        timeout: timedelta = timedelta(seconds=10),
        personal: bool = False,
        secret: bytes | str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = _checked(url)
        self._source = source
        self._headers = dict(headers)
        self._timeout_s = timeout.total_seconds()
        self._personal = personal
        self._secret = secret
        self._tls = tls

    def __call__(self, fact: Fact, delivery: Delivery) -> None:
        """Post one fact. Raises: DeliveryError unless the answer is 2xx."""
        body = orjson.dumps(self.event(fact, delivery))
        headers = {"Content-Type": _TYPE, **self._headers}
        if self._secret is not None:
            headers[SIGNATURE] = signature(body, self._secret)
        try:
            status = self._post(body, headers)
        except (OSError, HTTPException) as error:
            raise self._untaken(f"{type(error).__name__}: {error}") from error
        if not 200 <= status < 300:
            raise self._untaken(f"{status} {_PHRASES.get(status, '')}".strip())

    def event(self, fact: Fact, delivery: Delivery) -> Mapping[str, object]:
        """Return the event that is posted for a fact."""
        return {
            "specversion": "1.0",
            "id": f"{fact.instance}/{fact.sequence}",
            "source": self._source,
            "type": f"svcflow.fact.{snake(fact.kind)}",
            "subject": fact.instance,
            "time": fact.occurred_at.isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": to_record(fact) if self._personal else delivery.record,
        }

    def _post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status of the answer; its body is not read, for it may quote the fact."""
        connection = self._connection()
        try:
            path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        host = self._url.hostname or ""
        port = self._url.port or _SCHEMES[self._url.scheme]
        if self._url.scheme == "http":
            return HTTPConnection(host, port, timeout=self._timeout_s)
        tls = self._tls or ssl.create_default_context()
        return HTTPSConnection(host, port, timeout=self._timeout_s, context=tls)

    def _untaken(self, why: str) -> DeliveryError:
        where = f"{self._url.scheme}://{self._url.hostname}{self._url.path}"
        return DeliveryError(Text(zh=f"{where} 未接收：{why}", en=f"{where} did not take it: {why}"))


def signature(body: bytes, secret: bytes | str) -> str:
    """Return the value of the header `SIGNATURE`: HMAC-SHA256 of the body with the shared secret.

    A receiver computes it anew and compares with `hmac.compare_digest`.

    >>> signature(b"{}", "shared")[:15]
    'sha256=4c053bf9'
    """
    key = secret.encode() if isinstance(secret, str) else secret
    return f"sha256={hmac.new(key, body, 'sha256').hexdigest()}"


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _SCHEMES and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        usable = False
    if not usable:
        message = Text(zh=f"“{url}”不是 http 或 https 地址", en=f"{url!r} is no http or https URL")
        raise SubscriptionError(message, Text(zh="写作 https://主机/路径", en="write https://HOST/PATH"))
    if parts.username or parts.password:
        message = Text(zh="地址中不能含用户名或密码", en="a URL with a user name or password is not taken")
        raise SubscriptionError(message, Text(zh="放在 headers 里", en="put them into `headers`"))
    return parts
