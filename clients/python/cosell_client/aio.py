"""The client for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Optional

from google.longrunning import operations_pb2  # type: ignore[import-untyped]
from grpc import aio

from cosell_client.connection import Connection
from cosell_client.errors import CosellError
from cosell_client.policy import Attempts, TokenFile
from cosell_client.sync import ended, items_of


class AsyncClient(Connection):
    """A connection to cosell for asyncio. Stubs take its `channel`; their unary calls raise `CosellError`.

    The errors of streams are those of grpc: `CosellError.from_call` converts them. A call without a `timeout` has 20
    seconds with all its repetitions.
    """

    def _open(self, target: str, credentials: Any, options: Any, tokens: TokenFile) -> None:
        interceptors: list[aio.ClientInterceptor] = [
            _Unary(tokens),
            _ServerStream(tokens),
            _ClientStream(tokens),
            _BidirectionalStream(tokens),
        ]
        if credentials is None:
            self.channel = aio.insecure_channel(target, options, interceptors=interceptors)
        else:
            self.channel = aio.secure_channel(target, credentials, options, interceptors=interceptors)

    async def close(self) -> None:
        """Closes the connection."""
        await self.channel.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def all_items_async(method: Callable[[Any], Awaitable[Any]], request: Any) -> AsyncIterator[Any]:
    """The items of all pages of a list. They are read page by page, while the filter of the request stays."""
    page = type(request)()
    page.CopyFrom(request)
    while True:
        response = await method(page)
        for item in items_of(response):
            yield item
        if not response.next_page_token:
            return
        page.page_token = response.next_page_token


async def wait_for_operation_async(
    wait: Callable[[Any], Awaitable[Any]], name: str, timeout: float = 600.0
) -> operations_pb2.Operation:
    """Waits until a long operation has ended, and returns it. Raises its error. `wait` is `WaitOperation`."""
    until = time.monotonic() + timeout
    while True:
        operation = await wait(operations_pb2.WaitOperationRequest(name=name))
        if operation.done:
            return ended(operation)
        if time.monotonic() > until:
            raise TimeoutError(f"{name} has not ended within {timeout} s")


class _Interceptor:
    def __init__(self, tokens: TokenFile) -> None:
        self._tokens = tokens

    def _authorized(self, details: Any, timeout: Optional[float]) -> aio.ClientCallDetails:
        metadata = aio.Metadata(*(details.metadata or ()), ("authorization", f"Bearer {self._tokens.token()}"))
        return aio.ClientCallDetails(
            details.method, timeout, metadata, details.credentials, details.wait_for_ready
        )


class _Unary(_Interceptor, aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        attempts = Attempts(self._tokens, details.method, request, details.timeout)
        while True:
            call = await continuation(self._authorized(details, attempts.timeout()), attempts.request)
            try:
                await call
                return call
            except aio.AioRpcError as failure:
                error = CosellError.from_call(failure)
            delay = attempts.delay_after(error)
            if delay is None:
                raise error
            await asyncio.sleep(delay)


class _ServerStream(_Interceptor, aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return await continuation(self._authorized(details, details.timeout), request)


class _ClientStream(_Interceptor, aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(self, continuation: Any, details: Any, requests: Any) -> Any:
        return await continuation(self._authorized(details, details.timeout), requests)


class _BidirectionalStream(_Interceptor, aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        return await continuation(self._authorized(details, details.timeout), requests)
