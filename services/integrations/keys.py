"""Changes the keys that seal the operators' credentials while everything runs: `showbill keys` runs it.

Its database and its keys are those of integrations: DATABASE_URL, CREDENTIAL_KEYS_FILE or CREDENTIAL_KEYS.
"""

import argparse
import asyncio
import base64
import os
import sys
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any

from services.common.db import Pool
from services.common.errors import CannotStart
from services.common.secret import Secret
from services.integrations import rewrap
from services.integrations.canary import check_keyring, proves
from services.integrations.keyring import KEY_BYTES, LocalKeyring, is_key_id, keyring_of
from services.integrations.keys_opening import opened, say, until
from services.integrations.keys_place import Complaint, Place
from services.integrations.rewrap import KnownKey
from services.integrations.wording import counted

WAIT = 120.0
"""Seconds that running services have to learn of a change: a mounted secret takes a minute or two."""
_WERE = ("was", "were")
_SAY_EVERY = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when it was done, 1 when it could not be, with a sentence on stderr."""
    words = _arguments(arguments)
    if words.command == "list":
        return _run(_list())
    if words.command == "add":
        return _run(_add(words.key_id, words.wait))
    if words.command == "rotate":
        return _run(_rotate(words.key_id, words.wait))
    return _run(_retire(words.key_id, lost=words.lost))


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m services.integrations.keys", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    for name in ("add", "rotate"):
        command = commands.add_parser(name)
        command.add_argument("key_id", nargs="?", default="")
        command.add_argument("--wait", type=float, default=WAIT)
    command = commands.add_parser("retire")
    command.add_argument("key_id")
    command.add_argument("--lost", action="store_true")
    return parser.parse_args(arguments)


def _run(work: Coroutine[Any, Any, None]) -> int:
    try:
        asyncio.run(work)
    except (Complaint, CannotStart) as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    except rewrap.ChangeUnderWay:
        print("Another change of keys runs just now. Wait for its end, then try again.", file=sys.stderr, flush=True)
        return 1
    return 0


async def _list() -> None:
    async with opened() as (place, pool):
        held = list(place.entries())
        say(f"{'key':<34}{'state':<12}{'connections':>11}   since")
        known = await rewrap.known_keys(pool)
        for key in known:
            say(f"{key.key_id:<34}{_state(key, held):<12}{key.connections:>11}   {key.create_time:%Y-%m-%d %H:%M} UTC")
        for key_id in sorted(set(held) - {key.key_id for key in known}):
            say(f"{key_id:<34}{'not checked':<12}{0:>11}   -")
        running = await rewrap.holders(pool)
        lacking = sum(not set(_needed(known)) <= set(keys) for keys in running)
        without = f", {lacking} of them without all keys" if lacking else ""
        say(f"{counted(len(running), 'integrations service', ('runs', 'run'))}{without}.")


def _needed(known: Sequence[KnownKey]) -> list[str]:
    return [key.key_id for key in known if key.retire_time is None]


def _state(key: KnownKey, held: Sequence[str]) -> str:
    if key.retire_time is not None:
        return "retired"
    if key.key_id not in held:
        return "MISSING"
    return "current" if key.key_id == held[0] else "held"


async def _add(key_id: str, wait: float) -> None:
    async with opened() as (place, pool), rewrap.alone(pool):
        if place.file is None:
            raise Complaint(
                "These keys come from CREDENTIAL_KEYS, which no command can change. Add one there, behind the others"
                " (`openssl rand -base64 32`), and start the services anew; or move them to a CREDENTIAL_KEYS_FILE."
            )
        entries = place.entries()
        taken = {key.key_id for key in await rewrap.known_keys(pool)} | set(entries)
        key_id = key_id or _free_id(taken)
        if not is_key_id(key_id):
            raise Complaint("An id is up to 32 letters, digits, dots, dashes and underscores. Choose another.")
        if key_id in taken:
            raise Complaint(f"There is, or was, a key '{key_id}'. Ids are used once: choose another.")
        await check_keyring(pool, keyring_of(entries))
        entries[key_id] = Secret(base64.b64encode(os.urandom(KEY_BYTES)).decode())
        place.put(entries)
        await check_keyring(pool, keyring_of(entries))
        say(f"The key '{key_id}' was added to {place.file}. Copy that file to where you keep its copy, now.")
        await until(pool, lambda keys: key_id in keys, wait, "hold the new key")
    say("Go on with `showbill keys rotate`.")


def _free_id(taken: set[str]) -> str:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    return next(one for one in (today, *(f"{today}.{number}" for number in range(2, 1000))) if one not in taken)


async def _rotate(key_id: str, wait: float) -> None:
    async with opened() as (place, pool), rewrap.alone(pool):
        entries = place.entries()
        await check_keyring(pool, keyring_of(entries))
        known = await rewrap.known_keys(pool)
        target = key_id or _newest(known, list(entries), fixed=place.file is None)
        if target not in entries:
            raise Complaint(f"There is no key '{target}' here. `showbill keys list` shows those that there are.")
        if any(key.key_id == target and key.retire_time is not None for key in known):
            raise Complaint(
                f"The key '{target}' was retired, and no service starts with a retired key in the first place. Make"
                " another one with `showbill keys add`, then rotate to that."
            )
        await until(pool, lambda keys: target in keys, wait, f"hold the key '{target}'")
        if next(iter(entries)) != target:
            _make_current(place, entries, target)
        await until(pool, lambda keys: keys[:1] == [target], wait, f"seal with the key '{target}'")
        await wrap_all(pool, keyring_of(entries), target)


def _newest(known: Sequence[KnownKey], held: Sequence[str], *, fixed: bool) -> str:
    """The key to make current; the one that is, where the order is not ours to change."""
    if fixed:
        return held[0]
    usable = [key for key in known if key.key_id in held and key.retire_time is None]
    latest = max(key.create_time for key in usable)
    newest = [key.key_id for key in usable if key.create_time == latest]
    return held[0] if held[0] in newest else newest[0]


def _make_current(place: Place, entries: dict[str, Secret], target: str) -> None:
    if place.file is None:
        raise Complaint(f"Put the key '{target}' first in CREDENTIAL_KEYS, start the services anew, then try again.")
    place.put({target: entries[target], **entries})
    say(f"The key '{target}' is current from now on.")


async def wrap_all(
    pool: Pool, keyring: LocalKeyring, target: str, batch: int = rewrap.BATCH, say_every: float = _SAY_EVERY
) -> None:
    """Wraps every data key under the key `target` and says how far it has come, once in `say_every` seconds."""
    begun = said = time.monotonic()
    last = rewrap.Progress(0, 0, 0)
    async for last in rewrap.rewrap(pool, keyring, target, batch):
        if time.monotonic() - said >= say_every:
            said = time.monotonic()
            say(f"{last.done:,} of {counted(last.total, 'connection')}")
    seconds = time.monotonic() - begun
    say(f"{counted(last.done, 'connection', _WERE)} wrapped under '{target}' in {seconds:.1f} s.")
    if last.unreadable:
        cannot = counted(last.unreadable, "connection", ("does", "do"))
        raise Complaint(
            f"{cannot} not open with the key named there, and stayed as before. To be used again, each has to be made"
            " again by its operator; `showbill keys retire --lost` gives up what does not open."
        )
    say("Older keys protect nothing any more but your backups. Retire them with `showbill keys retire`.")


async def _retire(key_id: str, *, lost: bool) -> None:
    async with opened() as (place, pool), rewrap.alone(pool):
        entries = place.entries()
        known = {key.key_id: key for key in await rewrap.known_keys(pool)}
        if key_id not in known and key_id not in entries:
            raise Complaint(f"There is no key '{key_id}'. `showbill keys list` shows those that there are.")
        if entries and next(iter(entries)) == key_id:
            raise Complaint(
                f"The key '{key_id}' is the current one. Make another one current with `showbill keys rotate`."
            )
        if any(keys[:1] == [key_id] for keys in await rewrap.holders(pool)):
            raise Complaint(f"A running service still seals with the key '{key_id}'. Try again when it has learned.")
        if lost:
            await _check_lost(pool, place, keyring_of(entries), key_id)
            given_up = await rewrap.give_up(pool, keyring_of(entries), key_id)
            say(f"{counted(given_up, 'connection', _WERE)} given up.")
        if key_id in known and not await rewrap.retire(pool, key_id):
            protected = counted(known[key_id].connections, "connection")
            raise Complaint(
                f"The key '{key_id}' still protects {protected}, so it stays. `showbill keys rotate` wraps everything"
                " under the current one; where the key is lost for good, say --lost."
            )
        say(_forget(place, entries, key_id))


async def _check_lost(pool: Pool, place: Place, keyring: LocalKeyring, key_id: str) -> None:
    """What a key opens must not be given up for want of the right one here. Raises Complaint."""
    if key_id in keyring.ids:
        if not await proves(pool, keyring, key_id):
            raise Complaint(
                f"The key '{key_id}' in {place.name} is not the one of that name that sealed the credentials, so"
                " nothing was given up. Put back the right one; where it is lost for good, take this one out, then try"
                " again."
            )
    elif holding := sum(key_id in keys for keys in await rewrap.holders(pool)):
        runs = counted(holding, "running integrations service", ("holds", "hold"))
        raise Complaint(
            f"The key '{key_id}' is not lost: {runs} it, but {place.name} does not. Nothing was given up. Give"
            " this command the same keys as that service."
        )


def _forget(place: Place, entries: dict[str, Secret], key_id: str) -> str:
    if key_id not in entries:
        return f"The key '{key_id}' is retired."
    if place.file is None:
        return f"The key '{key_id}' is retired. Take it out of CREDENTIAL_KEYS at the next start."
    del entries[key_id]
    place.put(entries)
    return f"The key '{key_id}' is retired and no longer in {place.file}."


if __name__ == "__main__":
    sys.exit(main())
