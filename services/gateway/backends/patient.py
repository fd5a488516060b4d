"""Calls that survive the restart of the service behind: a moment's patience instead of an error."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final, TypeVar

import grpc

from services.common.client import GrpcClient
from services.common.context import Identity

Request = TypeVar("Request")
Response = TypeVar("Response")

PATIENCE: Final = 1.5
"""Seconds: a little more than the longest pause between two attempts to connect, a second and a fifth."""


class PatientClient(GrpcClient):
    """Waits for a lost connection to come back before it sends anything, so nothing is ever sent twice."""

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        identity: Identity,
        *,
        timeout: float = 5.0,
        wait_for_ready: bool = False,
    ) -> Response:
        """As the base has it: one unary call with a deadline in seconds. Raises RemoteError."""
        await self._wait_a_moment()
        return await super().call(method, request, identity, timeout=timeout, wait_for_ready=wait_for_ready)

    async def feed(
        self,
        method: grpc.aio.StreamUnaryMultiCallable[Request, Response],
        requests: AsyncIterator[Request],
        identity: Identity,
        *,
        timeout: float | None = None,
    ) -> Response:
        """As the base has it: one client-streaming call. Raises RemoteError, and whatever `requests` raises."""
        await self._wait_a_moment()
        return await super().feed(method, requests, identity, timeout=timeout)

    async def _wait_a_moment(self) -> None:
        if self.channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._connected(), PATIENCE)

    async def _connected(self) -> None:
        while (state := self.channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
            await self.channel.wait_for_state_change(state)
