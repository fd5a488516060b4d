"""The file of an upload: the raw body, or the file of a form."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, BinaryIO, Final, cast

from litestar import Request
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from services.common.errors import InvalidRequest

LARGEST_FILE: Final = 50 * 1024 * 1024
LARGEST_UPLOAD: Final = LARGEST_FILE + 64 * 1024
"""A form adds something to its file."""
_IN_MEMORY: Final = 1024 * 1024


class NoFile(InvalidRequest):
    """The form holds no file. Send the file as text/csv, or as the file of a form."""

    reason = "NO_FILE"


@asynccontextmanager
async def uploaded_file(request: Request[Any, Any, Any]) -> AsyncIterator[BinaryIO]:
    """The file from its beginning. What is larger than a megabyte waits on disk."""
    if request.content_type[0] == RequestEncodingType.MULTI_PART:
        files = [value for value in (await request.form()).values() if isinstance(value, UploadFile)]
        if not files:
            raise NoFile
        file = cast(BinaryIO, files[0].file)
        file.seek(0)
        yield file
        return
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spooled:
        async for chunk in request.stream():
            if spooled.tell() + len(chunk) > LARGEST_FILE:
                raise RequestEntityTooLarge
            spooled.write(chunk)
        spooled.seek(0)
        yield cast(BinaryIO, spooled)
