"""Personal data beside the journal: the chain holds a salted commitment in the place of a person or their data.

A commitment is `~` and 32 characters (in data an object `{"~": …}`, which no value of a field is): SHA-256 over a random
salt, the person whose value it is, and the value. Those three stand beside the journal; when they are erased nothing leads
back from the commitment to the person, and every link of the chain still fits. Inside one instance equal values have equal
commitments, so that two entries of an erased person are still seen to be of the same person; between instances they
cannot be connected.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from secrets import token_bytes
from typing import Any, NamedTuple

import orjson

from svcflow.errors import CorruptJournal
from svcflow.kernel.facts import ERASED
from svcflow.text import Text

MARK = "~"
_DIGEST, _SALT, _LENGTH = 24, 16, 33
_ACTING = ("actor", "behalf")
_PERSONS: Mapping[str, tuple[str, ...]] = {
    "Started": (*_ACTING, "recipient"),
    "Assigned": (*_ACTING, "to"),
}
"""The fields that name persons, by kind of fact; in all other kinds they are `_ACTING`: who acted, and for whom."""


_PERFORMERS = "performers"
"""Field with the persons who did each of some steps of a parent."""


def persons_in(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the persons, or their commitments, that a fact's record names."""
    for name in _PERSONS.get(record["kind"], _ACTING):
        yield record.get(name) or ""
    for who in (record.get(_PERFORMERS) or {}).values():
        yield from who


class Secret(NamedTuple):
    """What a commitment stands for: the JSON of a value of `person`, and the salt in base64."""

    person: str
    value: str
    salt: str


Secrets = Mapping[str, Secret | None]
"""Secrets by commitment, of one instance; None where the value was erased."""

NO_SECRETS: Secrets = {}


class Commitments:
    """Commitments of one instance: they replace personal values in records, and are replaced by them again.

    `fields` are the data fields that the procedure marks as personal. They are about the person served, or, where nobody
    is, about the one who wrote them down. `added` holds the secrets that `commit` has made; `missing` says that `reveal`
    met a commitment of which nothing is kept, not even that it was erased.
    """

    __slots__ = ("_subject", "added", "fields", "missing", "secrets")

    def __init__(self, secrets: Secrets, fields: frozenset[str] = frozenset(), subject: str = "") -> None:
        self.secrets = secrets
        self.fields = fields
        self.added: dict[str, Secret] = {}
        self.missing = False
        self._subject = "" if subject.startswith(ERASED) else subject

    def commit(self, record: dict[str, Any]) -> None:
        """Replace the personal values of a fact's record by their commitments."""
        if self.fields:
            self._commit_data(record)
        for name in _PERSONS.get(record["kind"], _ACTING):
            person = record.get(name)
            if person:
                record[name] = self._commitment(person, person)
        if _PERFORMERS in record:
            record[_PERFORMERS] = {
                step: [self._commitment(person, person) for person in who]
                for step, who in record[_PERFORMERS].items()
            }

    def reveal(self, record: dict[str, Any]) -> None:
        """Replace the commitments of a fact's record by what they stand for, or by a mark that it was erased."""
        for name in _PERSONS.get(record["kind"], _ACTING):
            token = record.get(name)
            if token and token[0] == MARK and len(token) == _LENGTH:
                record[name] = self._value(token)
        if _PERFORMERS in record:
            record[_PERFORMERS] = {
                step: [self._value(token) for token in who] for step, who in record[_PERFORMERS].items()
            }
        data = record.get("data")
        if data:
            record["data"] = {
                name: self._value(MARK + value[MARK]) if type(value) is dict else value
                for name, value in data.items()
            }

    def all_secrets(self) -> Secrets:
        """Return the secrets to be stored: those there were, and those that were added."""
        return {**self.secrets, **self.added}

    def _commit_data(self, record: dict[str, Any]) -> None:
        subject = self._subject or record.get("recipient") or record.get("actor", "")
        personal = self.fields.intersection(record.get("data") or ())
        if personal:
            data = dict(record["data"])
            for name in personal:
                if data[name] is not None:
                    data[name] = {MARK: self._commitment(subject, data[name])[1:]}
            record["data"] = data

    def _commitment(self, person: str, value: Any) -> str:
        text = orjson.dumps(value).decode()
        # one commitment for equal values of a person: see the module's docstring
        for secrets in (self.secrets, self.added):
            for token, secret in secrets.items():
                if secret is not None and secret.value == text and secret.person == person:
                    return token
        salt = token_bytes(_SALT)
        token = commitment(salt, person, text)
        self.added[token] = Secret(person, text, urlsafe_b64encode(salt).decode())
        return token

    def _value(self, token: str) -> Any:
        secret = self.secrets.get(token)
        self.missing = self.missing or token not in self.secrets
        return erased(token) if secret is None else orjson.loads(secret.value)


def strip_commitments(record: dict[str, Any]) -> None:
    """Remove the commitments from a fact's record as the journal keeps it."""
    for name in _PERSONS.get(record["kind"], _ACTING):
        if str(record.get(name)).startswith(MARK):
            del record[name]
    record.pop(_PERFORMERS, None)
    data = record.get("data")
    if data:
        record["data"] = {name: value for name, value in data.items() if type(value) is not dict}


def commitment(salt: bytes, person: str, value: str) -> str:
    """Return the commitment to a person and the JSON of a value of theirs."""
    # the pair as JSON, so that no other person and value give the same bytes
    digest = sha256(salt + orjson.dumps((person, value))).digest()
    return MARK + urlsafe_b64encode(digest[:_DIGEST]).decode()


def erased(token: str) -> str:
    """Return what stands in the place of an erased value; the same for equal values of one person in one instance."""
    return f"{ERASED}{token[1:9]}"


def verify_secrets(instance: str, secrets: Secrets) -> None:
    """Raise CorruptJournal when a secret of an instance is not what its commitment was made from."""
    for token, secret in secrets.items():
        if secret is not None and not _is_committed(token, secret):
            raise CorruptJournal(
                Text(
                    zh=f"实例 {instance} 的个人信息与其承诺值不符",
                    en=f"personal data of {instance} is not what its journal is committed to",
                ),
                Text(zh="从备份恢复", en="restore it from a backup"),
                table="svcflow_instances",
                column="secrets",
            )


def _is_committed(token: str, secret: Secret) -> bool:
    try:
        return commitment(urlsafe_b64decode(secret.salt), secret.person, secret.value) == token
    except (ValueError, TypeError, AttributeError):  # a salt that is no base64, a value that is no text
        return False


def to_bytes(secrets: Secrets) -> bytes:
    """Return the secrets of an instance as JSON."""
    return orjson.dumps(
        {token: None if secret is None else tuple(secret) for token, secret in secrets.items()}
    )


def from_bytes(body: bytes | None) -> Secrets:
    """Return the secrets of bytes that `to_bytes` wrote. Raises: CorruptJournal when they hold none."""
    if not body:
        return NO_SECRETS
    try:
        rows = orjson.loads(body)
        return {token: None if row is None else Secret(*row) for token, row in rows.items()}
    except (ValueError, TypeError, AttributeError) as error:
        message = Text(zh=f"个人信息无法读取：{error}", en=f"personal data cannot be read: {error}")
        raise CorruptJournal(message, table="svcflow_instances", column="secrets") from error


def fields_in_clear(bodies: Iterable[bytes], fields: Collection[str]) -> frozenset[str]:
    """Return which of the fields have values in the clear."""
    return frozenset(name for body in bodies for name in _clear(orjson.loads(body), fields))


def count_in_clear(
    bodies: Iterable[bytes], fields: Collection[str], served: str, secrets: Secrets, person: str
) -> int:
    """Count the entries that hold fields about a person in the clear.

    The fields are about the person served, or, where nobody is, about the one who wrote them down.
    """
    records = [orjson.loads(body) for body in bodies] if fields else []
    about = (each for each in records if served == person or (not served and _wrote(each, secrets, person)))
    return sum(any(_clear(record, fields)) for record in about)


def count_named(bodies: Iterable[bytes], person: str) -> int:
    """Count the entries that name a person in the clear, as entries of stores of version 1 do."""
    text = orjson.dumps(person)
    return sum(person in persons_in(orjson.loads(body)) for body in bodies if text in body)


def _clear(record: dict[str, Any], fields: Collection[str]) -> Iterator[str]:
    """Yield the fields of an entry that stand in the clear; the field of an anchor that was moved is one too."""
    data = record.get("data") or {}
    yield from (name for name in fields if data.get(name) is not None and type(data[name]) is not dict)
    if record.get("field") in fields:
        yield record["field"]


def _wrote(record: dict[str, Any], secrets: Secrets, person: str) -> bool:
    secret = secrets.get(record.get("actor", ""))
    return secret is not None and secret.person == person
