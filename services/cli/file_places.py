"""Where the files of commands come from and go to, and how far they are."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.cli.complaint import Complaint

_PIECE: Final = 256 * 1024


@contextmanager
def opened(file: Path) -> Iterator[BinaryIO]:
    """To be read; - is standard input. Raises Complaint."""
    if file == Path("-"):
        yield sys.stdin.buffer
        return
    try:
        source = file.open("rb")
    except OSError as error:
        raise Complaint(f"{file} cannot be read: {error.strerror}. Name another file.") from error
    with source:
        yield source


@contextmanager
def appearing(file: Path) -> Iterator[BinaryIO]:
    """Written beside its place and moved there when it is whole: what breaks off leaves nothing. Raises Complaint."""
    partial = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}")
    try:
        with partial.open("xb") as target:
            yield target
        partial.replace(file)
    except OSError as error:
        raise Complaint(f"{file} cannot be written: {error.strerror}. Name another file.") from error
    finally:
        partial.unlink(missing_ok=True)


def size_of(file: Path) -> int | None:
    """Bytes; None where nobody knows."""
    return file.stat().st_size if file.is_file() else None


async def pieces_of(source: BinaryIO, advance: Callable[[int], None]) -> AsyncIterator[bytes]:
    """Tells how far it is."""
    while piece := await asyncio.to_thread(source.read, _PIECE):
        yield piece
        advance(len(piece))


@contextmanager
def progress(what: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """On standard error, and only where that is a terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(what, total=size)
        yield lambda count: shown.advance(task, count)
