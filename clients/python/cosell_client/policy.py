"""What a call carries, and when it is repeated: the same with threads and with asyncio."""

from __future__ import annotations

import os
import random
import time
import uuid
from typing import Any, Optional

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import MethodOptions

from cosell_client.errors import CosellError

TIMEOUT = 20.0
"""The time for a call with all repetitions, in seconds."""
ATTEMPT_TIMEOUT = 5.0
"""The time for one attempt, in seconds. A service answers within five."""
ATTEMPTS = 5
"""The most attempts of a call."""
_FIRST_DELAY, _MAX_DELAY = 0.1, 5.0

_NOTHING_CHANGED = {"OVERLOADED", "RATE_EXCEEDED", "CONCURRENT_CHANGE"}
"""Reasons of refusals after which a repetition is safe in any case."""
_OUTCOME_UNKNOWN = {"DEPENDENCY_UNAVAILABLE", "DEADLINE_EXCEEDED"}
"""Reasons after which a repetition is safe if it can have no second effect."""
_TRANSPORT = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    # A broken stream; the service itself states a reason with these.
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
}


_READS = {
    f"/google.longrunning.Operations/{name}" for name in ("GetOperation", "ListOperations", "WaitOperation")
}
"""Reads whose definitions do not say that they have no side effects."""


class TokenFile:
    """The token in a file, which is read again when the file has changed."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._read: tuple[Optional[int], str] = (None, "")

    def token(self) -> str:
        """The current token."""
        changed = os.stat(self._path).st_mtime_ns
        if self._read[0] != changed:
            with open(self._path, encoding="ascii") as file:
                self._read = (changed, file.read().strip())
        return self._read[1]

    def reread(self) -> None:
        """Reads the file again for the next token, also if it seems unchanged."""
        self._read = (None, "")


class Attempts:
    """The attempts of one call."""

    def __init__(self, tokens: TokenFile, method: Any, request: Any, timeout: Optional[float]) -> None:
        self._tokens = tokens
        self.request = _with_request_id(request)
        self._is_repeatable = _has_request_id(request) or _has_no_side_effects(method)
        self._until = time.monotonic() + (TIMEOUT if timeout is None else timeout)
        self._count, self._is_token_renewed = 0, False

    def timeout(self) -> float:
        """The time for the next attempt."""
        return max(0.0, min(ATTEMPT_TIMEOUT, self._until - time.monotonic()))

    def delay_after(self, error: CosellError) -> Optional[float]:
        """How long to wait before the next attempt; `None` if there is none."""
        self._count += 1
        if self._count >= ATTEMPTS or not self._may_repeat(error):
            return None
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            delay = 0.0
        else:
            # A random part, so that clients that were refused together do not return together.
            least = error.retry_after or 0.0
            delay = least + random.uniform(0, min(_MAX_DELAY, max(_FIRST_DELAY, least) * 2**self._count))
        return delay if time.monotonic() + delay < self._until else None

    def _may_repeat(self, error: CosellError) -> bool:
        if error.reason in _NOTHING_CHANGED:
            return True
        if error.code() is grpc.StatusCode.UNAUTHENTICATED and not self._is_token_renewed:
            # The token may have been replaced while the call was on its way.
            self._is_token_renewed = True
            self._tokens.reread()
            return True
        is_unknown = error.reason in _OUTCOME_UNKNOWN or (error.is_of_transport and error.code() in _TRANSPORT)
        return self._is_repeatable and is_unknown


def _method_path(method: Any) -> str:
    """The path of a method, `/<package>.<service>/<method>`, as text."""
    return method.decode() if isinstance(method, bytes) else str(method)


def _has_request_id(request: Any) -> bool:
    return "request_id" in request.DESCRIPTOR.fields_by_name


def _with_request_id(request: Any) -> Any:
    """The request with an id that all its attempts share, so that a change takes effect once."""
    if not _has_request_id(request) or request.request_id:
        return request
    copy = type(request)()
    copy.CopyFrom(request)
    copy.request_id = str(uuid.uuid4())
    return copy


def _has_no_side_effects(method: Any) -> bool:
    path = _method_path(method)
    if path in _READS:
        return True
    service, _, name = path.lstrip("/").partition("/")
    try:
        found = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    except KeyError:
        return False
    return bool(found.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS)
