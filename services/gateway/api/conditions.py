"""Conditional requests: of two people who edit the same thing, the second is told."""

from typing import Annotated, Final, TypeAlias

from litestar.params import HeaderParameter

IfMatch: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        max_length=200,
        description="The `ETag` that was read: the change is refused with 412 when somebody was faster.",
    ),
]
_NOBODYS: Final = "?"
"""What no resource is ever tagged with."""
_NEVER: Final = -1


def etag(version: int | str) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def etag_of(if_match: str | None) -> str:
    """The one tag that must match; empty where any does. What is no tag of ours matches nothing.

    A weak one counts as strong: proxies that compress weaken our tags, which name a state and not its bytes.
    """
    if if_match is None or if_match.strip() == "*":
        return ""
    tag = if_match.strip().removeprefix("W/")
    if len(tag) < 3 or not tag.startswith('"') or not tag.endswith('"') or '"' in tag[1:-1]:
        return _NOBODYS
    return tag[1:-1]


def version_of(if_match: str | None) -> int | None:
    """As `etag_of`, where the tag is a version; None where any will do."""
    tag = etag_of(if_match)
    if not tag:
        return None
    return int(tag) if tag.isascii() and tag.isdecimal() and len(tag) < 10 else _NEVER
