"""`showbill up`: everything on this machine, on loopback, with its state in one folder."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from services.cli import generated
from services.cli.announce import welcome, write_demo_file
from services.cli.child import ChildFailed
from services.cli.complaint import Complaint
from services.cli.log_watch import LogWatch
from services.cli.ports import BASE, Ports, check_free
from services.cli.processes import Stack, processes
from services.cli.state import DEFAULT, VARIABLE, StateFolder
from services.cli.supervisor import Supervisor

PORT_BASE = "SHOWBILL_PORT_BASE"


def up(
    *,
    state: Annotated[Path, Parameter(env_var=VARIABLE)] = Path(DEFAULT),
    port_base: Annotated[int, Parameter(env_var=PORT_BASE)] = BASE,
    gateway_port: Annotated[int | None, Parameter(env_var="SHOWBILL_GATEWAY_PORT")] = None,
    integrations_port: Annotated[int | None, Parameter(env_var="SHOWBILL_INTEGRATIONS_PORT")] = None,
    invoicing_port: Annotated[int | None, Parameter(env_var="SHOWBILL_INVOICING_PORT")] = None,
    postgres_port: Annotated[int | None, Parameter(env_var="SHOWBILL_POSTGRES_PORT")] = None,
    nats_port: Annotated[int | None, Parameter(env_var="SHOWBILL_NATS_PORT")] = None,
    sandbox_port: Annotated[int | None, Parameter(env_var="SHOWBILL_SANDBOX_PORT")] = None,
    once: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Start Postgres, NATS, the services and a Stripe sandbox here, until Ctrl-C.

    With STRIPE_API_BASE set there is no sandbox, and the services use the Stripe that it names.

    Parameters
    ----------
    state
        Folder that keeps everything. A second start on it goes on where the first one stopped.
    port_base
        The gateway's port; the others follow it: integrations +1, invoicing +2, Postgres +3, NATS +4, sandbox +20.
    gateway_port
        Instead of the port base.
    integrations_port
        Instead of the port base + 1.
    invoicing_port
        Instead of the port base + 2.
    postgres_port
        Instead of the port base + 3.
    nats_port
        Instead of the port base + 4.
    sandbox_port
        Instead of the port base + 20.
    once
        Stop as soon as everything is ready.
    """
    ports = Ports.of(
        port_base,
        gateway=gateway_port,
        integrations=integrations_port,
        invoicing=invoicing_port,
        postgres=postgres_port,
        nats=nats_port,
        sandbox=sandbox_port,
    )
    folder = StateFolder(state)
    try:
        folder.make()
        with folder.locked(say) as lock:
            secrets = generated.load(folder.secrets)
            generated.make_keyring(folder.secrets, folder.keyring)
            stack = Stack(folder, ports, secrets, dict(os.environ))
            check_free(ports, frozenset() if stack.with_sandbox else frozenset({"sandbox"}))
            return asyncio.run(_run(stack, lock, once))
    except (Complaint, ChildFailed) as error:
        print(error, file=sys.stderr, flush=True)
        return 1


def say(text: str) -> None:
    """A line for the person at the terminal, at once. Nobody may read it: then we go on."""
    with contextlib.suppress(BrokenPipeError):
        print(text, flush=True)


async def _run(stack: Stack, lock: int, once: bool) -> int:
    """Until told to stop. 0 when everything came up, and stopped as it should."""
    begun = time.monotonic()
    plan = processes(stack)
    supervisor = Supervisor(plan, stack.state.logs, say, (lock,))
    watch = LogWatch(stack.state.logs, [process.name for process in plan], say)
    stop = _stop_event(supervisor)
    say(f"Starting {', '.join(process.name for process in plan)}.")

    async def life() -> None:
        await supervisor.start()
        write_demo_file(stack)
        say(welcome(stack, time.monotonic() - begun))
        if not once:
            await asyncio.gather(supervisor.keep(), watch.run())

    running, told = asyncio.create_task(life()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((running, told), return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        interrupted = not running.done()
        if interrupted:
            say("Stopping. Ctrl-C again kills what is slow.")
        running.cancel()
        await asyncio.wait((running,))
        clean = await supervisor.stop()
    error = None if running.cancelled() else running.exception()
    # A child too young to have a session of its own is ended by the same Ctrl-C: no failure.
    if error is not None and not (interrupted and isinstance(error, ChildFailed)):
        raise error
    say("Stopped.")
    return 0 if clean else 1


def _stop_event(supervisor: Supervisor) -> asyncio.Event:
    """Set by the first Ctrl-C or its like; the second one no longer waits for anybody."""
    stop = asyncio.Event()

    def told() -> None:
        if stop.is_set():
            supervisor.kill()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told)
    return stop
