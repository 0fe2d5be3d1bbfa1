"""The client for threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Optional

import grpc
from google.longrunning import operations_pb2  # type: ignore[import-untyped]

from cosell_client.connection import Connection
from cosell_client.errors import CosellError
from cosell_client.policy import Attempts, TokenFile


class Client(Connection):
    """A connection to cosell. Stubs take its `channel`; their calls raise `CosellError`.

    A call without a `timeout` has 20 seconds with all its repetitions. Calls with `.future()` wait for their end.
    """

    def _open(self, target: str, credentials: Any, options: Any, tokens: TokenFile) -> None:
        if credentials is None:
            self._channel = grpc.insecure_channel(target, options)
        else:
            self._channel = grpc.secure_channel(target, credentials, options)
        self.channel: grpc.Channel = grpc.intercept_channel(self._channel, _Interceptor(tokens))

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def all_items(method: Callable[[Any], Any], request: Any) -> Iterator[Any]:
    """The items of all pages of a list. They are read page by page, while the filter of the request stays."""
    page = type(request)()
    page.CopyFrom(request)
    while True:
        response = method(page)
        yield from items_of(response)
        if not response.next_page_token:
            return
        page.page_token = response.next_page_token


def items_of(response: Any) -> Any:
    """The items of a page: the only list of its response."""
    lists = [field for field in response.DESCRIPTOR.fields if isinstance(field.default_value, list)]
    if len(lists) != 1:
        raise TypeError(f"{response.DESCRIPTOR.name} is no page of a list")
    return getattr(response, lists[0].name)


def wait_for_operation(
    wait: Callable[[Any], Any], name: str, timeout: float = 600.0
) -> operations_pb2.Operation:
    """Waits until a long operation has ended, and returns it. Raises its error.

    `wait` is `OperationsStub(client.channel).WaitOperation`. Each call waits some seconds.
    """
    until = time.monotonic() + timeout
    while True:
        operation = wait(operations_pb2.WaitOperationRequest(name=name))
        if operation.done:
            return ended(operation)
        if time.monotonic() > until:
            raise TimeoutError(f"{name} has not ended within {timeout} s")


def ended(operation: operations_pb2.Operation) -> operations_pb2.Operation:
    """An operation that has ended without an error."""
    if operation.HasField("error"):
        raise CosellError.from_status(operation.error)
    return operation


class _Call(NamedTuple):
    method: Any
    timeout: Optional[float]
    metadata: Any
    credentials: Any
    wait_for_ready: Any
    compression: Any


class _CallDetails(_Call, grpc.ClientCallDetails):
    """How a call is made."""


class _Responses:
    """The messages of a stream, whose errors are `CosellError`."""

    def __init__(self, responses: Any) -> None:
        self._responses = responses

    def __iter__(self) -> _Responses:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._responses)
        except grpc.RpcError as error:
            raise CosellError.from_call(error) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._responses, name)


class _Interceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    def __init__(self, tokens: TokenFile) -> None:
        self._tokens = tokens

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        attempts = Attempts(self._tokens, details.method, request, details.timeout)
        while True:
            call = continuation(self._authorized(details, attempts.timeout()), attempts.request)
            failure = call.exception()
            if failure is None:
                return call
            error = CosellError.from_call(call)
            delay = attempts.delay_after(error)
            if delay is None:
                raise error
            time.sleep(delay)

    def intercept_stream_unary(self, continuation: Any, details: Any, requests: Any) -> Any:
        # Only the caller, who has the file, can send it again.
        call = continuation(self._authorized(details, details.timeout), requests)
        if call.exception() is not None:
            raise CosellError.from_call(call)
        return call

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return _Responses(continuation(self._authorized(details, details.timeout), request))

    def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        return _Responses(continuation(self._authorized(details, details.timeout), requests))

    def _authorized(self, details: Any, timeout: Optional[float]) -> _CallDetails:
        metadata = [*(details.metadata or ()), ("authorization", f"Bearer {self._tokens.token()}")]
        return _CallDetails(
            details.method, timeout, metadata, details.credentials, details.wait_for_ready, details.compression
        )
