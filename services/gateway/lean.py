"""Our own style sheets and scripts as they travel: without comments and indentation, which only we need."""

import re

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_BLOCK_OF_COMMENT = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*$", re.DOTALL | re.MULTILINE)
_SPARE = re.compile(r"(?<=[{};,]) | (?=[{}])|(?<=[a-z]:) ")
"""Spaces that part nothing; a selector has none behind its colon."""


def lean(name: str, content: bytes) -> bytes:
    """What is not ours, or minified already, stays as it is."""
    if name.endswith(".css"):
        return _SPARE.sub("", re.sub(r"\s+", " ", _COMMENT.sub("", content.decode()))).strip().encode()
    if name.endswith(".js") and not name.endswith(".min.js"):
        return re.sub(r"\n\s+", "\n", _BLOCK_OF_COMMENT.sub("", content.decode())).strip().encode()
    return content
