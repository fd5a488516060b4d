"""The event that tells the other services of a changed connection."""

from datetime import UTC, datetime

from services.common.bus import subject
from services.common.context import request_id
from services.common.ids import new_id
from services.common.outbox import Message
from services.common.timestamps import to_proto
from services.integrations.connection import Connection
from services.rpc.showbill.events.v1 import events_pb2

_TYPE = "integration.updated"


def integration_updated(connection: Connection) -> Message:
    event = events_pb2.Event(
        id=new_id(),
        type=_TYPE,
        workspace_id=connection.workspace_id,
        occur_time=to_proto(datetime.now(UTC)),
        integration_updated=events_pb2.IntegrationUpdated(
            provider=connection.provider, status=connection.status, status_reason=connection.status_reason
        ),
    )
    return Message(
        event.id, subject(connection.workspace_id, "", _TYPE), event.SerializeToString(), request_id() or event.id
    )
