"""The keyring in a file, read again whenever the file changes: a new key needs no restart."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import structlog

from services.common.errors import CannotStart
from services.integrations.keyring import KeyMissing, Keyring, LocalKeyring, WrappedKey, parse_keyring

log = structlog.get_logger()

Check = Callable[[Keyring], Awaitable[None]]
_Stamp = tuple[int, int, int]
_NONE: Final = (0, 0, 0)


class UnusableKeyFile(CannotStart):
    """The file of keys cannot be read; the message says why and names no key."""


def read_key_file(path: Path) -> LocalKeyring:
    """Raises UnusableKeyFile."""
    try:
        return parse_keyring(path.read_text())
    except (OSError, ValueError) as error:
        # Of a decoding error the words would hold bytes of the file.
        why = error.strerror if isinstance(error, OSError) else "" if isinstance(error, UnicodeError) else str(error)
        raise UnusableKeyFile(f"The file of keys {path} is not usable: {why or 'it is no text'}.") from None


class FileKeyring:
    """The keys of a file. A new content takes effect only once `check` has passed it; until then the last one holds."""

    def __init__(self, path: Path, check: Check) -> None:
        self._path = path
        self._check = check
        self._keys = LocalKeyring()
        self._stamp = _NONE
        self._refused = _NONE
        self._lock = asyncio.Lock()

    @property
    def ids(self) -> Sequence[str]:
        return self._keys.ids

    async def load(self) -> None:
        """For the start. Raises CannotStart."""
        stamp = self._seen()
        keys = read_key_file(self._path)
        await self._check(keys)
        self._keys, self._stamp = keys, stamp

    async def refresh(self) -> bool:
        """Reads the file again if it changed; whether other keys hold from now on. A file that is no good is logged."""
        async with self._lock:
            stamp = self._seen()
            if stamp in (self._stamp, self._refused):
                return False
            try:
                keys = read_key_file(self._path)
                await self._check(keys)
            except CannotStart as error:
                self._refused = stamp
                log.error("the file of keys is not taken; the last one holds", error=str(error))  # noqa: TRY400  # said
                return False
            self._keys, self._stamp, self._refused = keys, stamp, _NONE
            log.info("keys were read again", key_ids=list(keys))
            return True

    def _seen(self) -> _Stamp:
        try:
            found = self._path.stat()
        except OSError:
            return _NONE
        return found.st_ino, found.st_mtime_ns, found.st_size

    async def wrap(self, data_key: bytes, context: bytes, key_id: str = "") -> WrappedKey:
        return await self._keys.wrap(data_key, context, key_id)

    async def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        try:
            return await self._keys.unwrap(wrapped, context)
        except KeyMissing:
            if not await self.refresh():
                raise
            return await self._keys.unwrap(wrapped, context)
