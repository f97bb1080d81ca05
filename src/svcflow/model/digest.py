"""The digest of a procedure: equal for equal content, whether it was loaded or built in Python.

Stores keep it, so it must stay the same in every version of the library (tests/model/test_model_digest.py).
"""

from __future__ import annotations

from hashlib import sha256

import orjson

from svcflow.model.dump import form
from svcflow.model.procedure import Procedure


def digest(procedure: Procedure) -> str:
    """Return the SHA-256, in hexadecimal, of what the procedure declares; calendars are not part of it."""
    return sha256(orjson.dumps(form(procedure))).hexdigest()
