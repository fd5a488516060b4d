"""Conditional requests: of two people who edit the same thing, the second is told."""

from typing import Annotated, Final, TypeAlias

from litestar.params import HeaderParameter

IfMatch: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        max_length=200,
        description="The `ETag` that you read: the change is made only if nobody made another since, else 412.",
    ),
]
NO_VERSION: Final = -1
"""What no resource ever has."""


def etag(version: int | str) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def tag_of(if_match: str | None) -> str | None:
    """The one tag that must match; None where anything does. What is no tag of ours matches nothing."""
    if if_match is None or if_match.strip() == "*":
        return None
    tag = if_match.strip()
    if len(tag) < 2 or not tag.startswith('"') or not tag.endswith('"') or '"' in tag[1:-1]:
        return "?"
    return tag[1:-1]


def version_of(if_match: str | None) -> int | None:
    """As `tag_of`, where the tag is a version."""
    tag = tag_of(if_match)
    if tag is None:
        return None
    return int(tag) if tag.isascii() and tag.isdecimal() and len(tag) < 10 else NO_VERSION
