"""Who gets the next free hands: accounts side by side, and the shows of one account in turn."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple


class Account(NamedTuple):
    """A provider account as one workspace connected it: what pace and limits hang on."""

    workspace_id: str
    provider: str
    account_id: str
    livemode: bool


class Waiting(NamedTuple):
    """Invoices of one show and account that wait to be made."""

    account: Account
    show_id: str
    ready: int


def share(
    waiting: Sequence[Waiting], busy: Mapping[tuple[Account, str], int], each: int, free: int
) -> dict[Waiting, int]:
    """How many of each to take now, at most `each` under way for an account and `free` in all.

    `busy` counts what is under way by account and show. A giant show holds up neither another account nor a small show
    of its own account, also where hands get free one at a time.
    """
    by_account: defaultdict[Account, list[Waiting]] = defaultdict(list)
    for group in waiting:
        by_account[group.account].append(group)
    held: Counter[Account] = Counter()
    for (account, _), count in busy.items():
        held[account] += count
    queues = [
        _in_turn(groups, busy, max(each - held[account], 0))
        for account, groups in sorted(by_account.items(), key=lambda one: (held[one[0]], one[0]))
    ]
    return dict(Counter(_round(queues)[:free]))


def _in_turn(groups: Sequence[Waiting], busy: Mapping[tuple[Account, str], int], hands: int) -> list[Waiting]:
    """Each hand goes to the show that has the fewest for its weight.

    A show whose queue is at most half as long as the longest weighs double: it is done in about the time that its own
    size asks for, and takes nothing from the long one but a little patience.
    """
    longest = max(group.ready for group in groups)
    weight = {group: 2 if 2 * group.ready <= longest else 1 for group in groups}
    held = {group: busy.get((group.account, group.show_id), 0) for group in groups}
    left = {group: group.ready for group in groups}
    turns = []
    for _ in range(min(hands, sum(left.values()))):
        next_one = min((g for g in groups if left[g]), key=lambda g: ((held[g] + 1) / weight[g], g.show_id))
        held[next_one] += 1
        left[next_one] -= 1
        turns.append(next_one)
    return turns


def _round(queues: Sequence[Sequence[Waiting]]) -> list[Waiting]:
    """One of each queue, then the next of each."""
    return [group for turn in zip_longest(*queues) for group in turn if group is not None]
