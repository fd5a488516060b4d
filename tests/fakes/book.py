"""A customer book in memory."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from services.common.ids import new_id
from services.integrations.connection_values import Link
from services.integrations.invoice_values import Buyer
from services.integrations.ports import CustomerRecord


class MemoryBook:
    """See ports.CustomerBook."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str, bool, str, str], CustomerRecord] = {}
        self._former: defaultdict[tuple[str, str, bool, str, str], list[str]] = defaultdict(list)

    async def reserve(self, link: Link, buyer: Buyer, parameters: Mapping[str, object]) -> CustomerRecord:
        return self._records.setdefault(_key(link, buyer), CustomerRecord(new_id(), parameters, "", datetime.now(UTC)))

    async def find(self, link: Link, buyer: Buyer) -> CustomerRecord | None:
        return self._records.get(_key(link, buyer))

    async def ever(self, link: Link, buyer: Buyer) -> list[str]:
        known = self._records.get(_key(link, buyer))
        present = [known.customer_id] if known and known.customer_id else []
        return present + self._former[_key(link, buyer)]

    async def settle(self, record: CustomerRecord, customer_id: str, parameters: Mapping[str, object]) -> bool:
        mine = [
            key for key, one in self._records.items() if one.id == record.id and one.customer_id in ("", customer_id)
        ]
        for key in mine:
            self._records[key] = replace(self._records[key], customer_id=customer_id, parameters=parameters)
        return bool(mine)

    async def forget(self, record: CustomerRecord) -> None:
        for key in [key for key, known in self._records.items() if known == record]:
            self._former[key] += [record.customer_id] if record.customer_id else []
            del self._records[key]


def _key(link: Link, buyer: Buyer) -> tuple[str, str, bool, str, str]:
    return link.workspace_id, link.account_id, link.livemode, buyer.platform, buyer.platform_user_id
