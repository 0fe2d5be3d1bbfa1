"""Client of cosell: a channel with token, deadline, retries and typed errors, pages, and long operations."""

from importlib.metadata import version

from cosell_client.aio import AsyncClient, all_items_async, wait_for_operation_async
from cosell_client.errors import CosellError, Violation
from cosell_client.sync import Client, all_items, wait_for_operation

__version__ = version("cosell-client")

__all__ = [
    "AsyncClient",
    "Client",
    "CosellError",
    "Violation",
    "all_items",
    "all_items_async",
    "wait_for_operation",
    "wait_for_operation_async",
]
