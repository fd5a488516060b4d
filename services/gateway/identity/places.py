"""Where people signed in before: on which devices, by a cookie of its own that outlives the session, and from where.

It lets nobody in. It only tells somebody who comes back from the strangers who guess at their password meanwhile.
"""

from dataclasses import dataclass
from typing import Final

from services.common.db import Connection, Pool
from services.common.secret import Secret
from services.gateway.identity.cookies import DEVICE_LIFETIME
from services.gateway.identity.credentials import fingerprint, new_session_token
from services.gateway.identity.visitor import Visitor, network_of
from services.gateway.queries import SQL

MOST: Final = 100
"""Devices and networks that are kept of one person: a program without cookies is a new device each time."""
_DEVICE: Final = "device\0"
_NETWORK: Final = "network\0"


@dataclass(frozen=True, slots=True)
class Known:
    """Whom an attempt is for, and whether they signed in before from where it comes."""

    person: str
    """The address as the database finds accounts by it: Python would spell some letters otherwise."""
    device: bool
    network: bool


class Places:
    """Remembers devices and networks of accounts."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def known(self, email: str, visitor: Visitor) -> Known:
        """What is known of the address, whether or not it has an account."""
        device = fingerprint(_DEVICE + visitor.device) if visitor.device else b""
        network = _network(visitor)
        row = await self._pool.fetchrow(SQL["known_marks"], email, [device, network])
        assert row is not None
        return Known(row["person"], device in row["marks"], network in row["marks"])

    async def remember(self, user_id: str, session_id: str, visitor: Visitor) -> Secret:
        """Somebody signed in; answers what the device's cookie is to carry. One that we did not make is not kept.

        Nothing is remembered of a session that has ended meanwhile.
        """
        device = Secret(visitor.device or "")
        if not visitor.device or not await self._pool.fetchval(SQL["is_mark"], _device(device)):
            device = new_session_token()
        await self._pool.execute(SQL["remember_marks"], session_id, [_device(device), _network(visitor)])
        await self._pool.execute(SQL["forget_marks_beyond"], user_id, MOST)
        return device

    async def sweep(self) -> None:
        await self._pool.execute(SQL["forget_old_marks"], DEVICE_LIFETIME)


async def forget_places(connection: Connection, user_id: str) -> None:
    """Whoever was there may have known a password that is none any more. To be called once its sessions are ended."""
    await connection.execute(SQL["forget_marks_of_user"], user_id)


def _device(device: Secret) -> bytes:
    return fingerprint(_DEVICE + device.reveal())


def _network(visitor: Visitor) -> bytes:
    return fingerprint(_NETWORK + network_of(visitor.address))
