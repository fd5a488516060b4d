"""How passwords are kept, in a process of its own: other tests of this folder make hashes cheap."""

import asyncio
import sys


async def test_hashes_cost_what_rfc_9106_asks() -> None:
    code = (
        "import asyncio; from services.common.secret import Secret;"
        "from services.gateway.identity.passwords import Passwords;"
        "print(asyncio.run(Passwords().hash(Secret('a good long password'))))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    _, kind, version, costs, *_ = output.decode().split("$")
    assert (kind, version) == ("argon2id", "v=19")
    memory, times, lanes = (int(cost.partition("=")[2]) for cost in costs.split(","))
    assert memory >= 64 * 1024
    assert times >= 3
    assert lanes >= 4
