"""Where the gateway is that a command works with: told, or that of a running `up`."""

from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from services.cli.complaint import Complaint
from services.cli.state import VARIABLE, StateFolder

Url: TypeAlias = Annotated[str, Parameter(env_var="SHOWBILL_URL")]
Token: TypeAlias = Annotated[str, Parameter(env_var="SHOWBILL_API_TOKEN", show_default=False)]
State: TypeAlias = Annotated[Path, Parameter(env_var=VARIABLE)]


def find_gateway(url: str, token: str, state: Path) -> tuple[str, str]:
    """Its address, and the token for it. Raises Complaint."""
    if url and token:
        return url, token
    try:
        lines = StateFolder(state).demo.read_text().splitlines()
    except OSError:
        raise Complaint(
            "Nothing says where Showbill is. Set SHOWBILL_URL and SHOWBILL_API_TOKEN, or start `./run up` first."
        ) from None
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return url or values["SHOWBILL_URL"], token or values["SHOWBILL_API_TOKEN"]
