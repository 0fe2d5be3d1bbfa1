"""How a client connects: the same with threads and with asyncio."""

from __future__ import annotations

import os
from typing import Any, Optional

import grpc

from cosell_client.policy import TokenFile


class Connection:
    """A connection to cosell."""

    def __init__(
        self,
        target: str,
        *,
        token_file: str | os.PathLike[str],
        plain_text: bool = False,
        root_certificates: Optional[bytes] = None,
        options: tuple[tuple[str, Any], ...] = (),
    ) -> None:
        """Connects to `host:port` on first use. `root_certificates` (PEM) replace those of the system."""
        credentials = None if plain_text else grpc.ssl_channel_credentials(root_certificates)
        self._open(target, credentials, options, TokenFile(token_file))

    def _open(self, target: str, credentials: Any, options: Any, tokens: TokenFile) -> None:
        """Opens the channel, in plain text without credentials."""
        raise NotImplementedError
