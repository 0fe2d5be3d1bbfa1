"""The error of a refused or failed call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

from cosell.type.v1 import errors_pb2

_DETAILS = "grpc-status-details-bin"
_KNOWN: tuple[type[Message], ...] = (
    error_details_pb2.ErrorInfo,
    error_details_pb2.RequestInfo,
    error_details_pb2.RetryInfo,
    error_details_pb2.BadRequest,
    errors_pb2.InvalidFields,
)
_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True)
class Violation:
    """An invalid field of a request."""

    field: str
    """The path, relative to the request: `opportunity.customer.contacts[0].email`."""
    code: str
    """What is violated, such as `REQUIRED_FIELD_MISSING`."""
    description: str
    """What is expected, for humans."""
    rejected_value: str = ""
    """The value, unless it may be personal data."""
    allowed_values: tuple[str, ...] = ()
    """The values that are allowed, as far as they fit into the answer."""


class CosellError(grpc.RpcError):
    """A call that was refused, or that failed after all repetitions that are safe.

    Decide by `code()` and `reason`, never by the message.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        details: dict[str, Any],
        trailers: tuple[Any, ...] = (),
    ) -> None:
        info, bad = details.get("ErrorInfo"), details.get("BadRequest")
        self.reason: str = info.reason if info else ""
        """Why the call was refused, such as `ETAG_MISMATCH`; empty if the error is not of cosell but of the transport."""
        self.domain: str = info.domain if info else ""
        """Whose reason it is, such as `opportunity.cosell`."""
        self.metadata: dict[str, str] = dict(info.metadata) if info else {}
        """Values that belong to the reason, such as `current_etag`."""
        self.violations: tuple[Violation, ...] = tuple(_violations(bad, details.get("InvalidFields")))
        """The invalid fields of the request."""
        retry = details.get("RetryInfo")
        self.retry_after: Optional[float] = retry.retry_delay.ToTimedelta().total_seconds() if retry else None
        """The least time to wait before a repetition, in seconds."""
        request = details.get("RequestInfo")
        self.request_id: str = request.request_id if request else ""
        """The id of the call in the logs of the services."""
        self._code, self._message, self._trailers = code, message, trailers
        super().__init__(f"{code.name} {self.reason}: {message}")

    def code(self) -> grpc.StatusCode:
        """The gRPC code."""
        return self._code

    def details(self) -> str:
        """The message, for humans."""
        return self._message

    def trailing_metadata(self) -> tuple[Any, ...]:
        """The trailers of the answer."""
        return self._trailers

    @property
    def is_of_transport(self) -> bool:
        """Whether the error is of the connection, the client or a proxy: those of cosell have a reason."""
        return not self.reason

    @classmethod
    def from_call(cls, error: Any) -> CosellError:
        """The error of a call, from the exception of grpc."""
        trailers = tuple(error.trailing_metadata() or ())
        status = status_pb2.Status()
        for key, value in trailers:
            if key == _DETAILS and isinstance(value, bytes):
                try:
                    status = status_pb2.Status.FromString(value)
                except DecodeError:
                    # Then the code still says what there is to know.
                    pass
        return cls(error.code(), error.details() or "", _details(status), trailers)

    @classmethod
    def from_status(cls, status: status_pb2.Status) -> CosellError:
        """The error that a long operation ended with."""
        return cls(_CODES.get(status.code, grpc.StatusCode.UNKNOWN), status.message, _details(status))


def _details(status: status_pb2.Status) -> dict[str, Any]:
    """The details of an error, by the names of their messages."""
    details = {}
    for packed in status.details:
        for known in _KNOWN:
            message = known()
            if packed.Unpack(message):
                details[known.DESCRIPTOR.name] = message
    return details


def _violations(bad: Any, invalid: Any) -> list[Violation]:
    values = {(field.field, field.code): field for field in invalid.fields} if invalid else {}
    violations = []
    for field in bad.field_violations if bad else ():
        more = values.get((field.field, field.reason))
        violations.append(
            Violation(
                field.field,
                field.reason,
                field.description,
                more.rejected_value if more else "",
                tuple(more.allowed_values) if more else (),
            )
        )
    return violations
