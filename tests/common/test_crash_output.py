"""Whatever a process says when it breaks, no key that was in scope is in it."""

import subprocess
import sys

import pytest

KEY = "sk_live_51" + "plantedkey" * 3 + "tail"
BEGIN = """
import asyncio, logging, sys, threading, warnings
import structlog
from services.common import log
from services.common.secret import Secret
log.configure("test", "DEBUG")
KEY = "sk_live_51" + "plantedkey" * 3 + "tail"
secret = Secret(KEY)
say = structlog.get_logger()
"""

CRASHES = {
    "uncaught error": "raise LookupError(f'no account for {KEY}')",
    "uncaught error with the key as its argument": "{}[KEY]",
    "chained errors": """
try:
    {}[KEY]
except KeyError as error:
    raise ValueError(KEY) from error
""",
    "error of a thread": """
thread = threading.Thread(target=lambda: {}[KEY])
thread.start()
thread.join()
""",
    "task that nobody waits for": """
async def fail():
    raise RuntimeError(KEY)
async def main():
    asyncio.create_task(fail())
    await asyncio.sleep(0)
asyncio.run(main())
""",
    "error in a finalizer": """
class Held:
    def __del__(self):
        raise ValueError(KEY)
Held()
""",
    "a logged exception": """
try:
    {}[KEY]
except KeyError:
    say.exception('failed', key=KEY, held=[secret, {KEY: KEY}])
""",
    "a log line of a library": "logging.getLogger('library').error('key %s', KEY, extra={'key': KEY})",
    "an exception of a library": """
try:
    {}[KEY]
except KeyError:
    logging.getLogger('library').exception('failed %r', KEY)
""",
    "a debug line": "say.debug(f'calling with {KEY}', headers={'authorization': f'Bearer {KEY}'}, raw=KEY.encode())",
    "a warning": "warnings.warn(f'odd key {KEY}')",
}


@pytest.mark.parametrize("crash", CRASHES)
def test_no_key_in_scope_is_printed(crash: str) -> None:
    done = subprocess.run((sys.executable, "-c", BEGIN + CRASHES[crash]), capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert "sk_live_***" in said, said
    assert "plantedkey" not in said
    assert "tail" not in said


def test_uncaught_error_still_ends_the_process() -> None:
    done = subprocess.run((sys.executable, "-c", BEGIN + CRASHES["uncaught error"]), capture_output=True, check=False)
    assert done.returncode == 1
