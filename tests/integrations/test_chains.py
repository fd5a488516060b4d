"""The chain of idempotency keys of one step, against keys that are spent as Stripe spends them: for good."""

from services.integrations.adapters.stripe.answers import Json
from services.integrations.adapters.stripe.errors import KeySpent
from services.integrations.adapters.stripe.steps import Chains
from services.integrations.failures import Failure

MADE: Json = {"id": "in_1"}


class Keys:
    """Answers a spent key with the fault that is saved under it, any other with what was made."""

    def __init__(self, *spent: str) -> None:
        self.spent = set(spent)
        self.asked: list[str] = []
        self.left: Json | None = None

    async def call(self, key: str) -> Json:
        self.asked.append(key)
        if key in self.spent:
            raise KeySpent(Failure.PROVIDER_UNAVAILABLE, "A fault is saved under this key.")
        return MADE

    async def look(self) -> Json | None:
        return self.left


async def test_spent_keys_are_passed_once_by_one_process_and_again_by_another() -> None:
    keys, chains = Keys("base", "base.1"), Chains()
    for _ in range(2):
        assert await chains.walk("base", keys.call, keys.look) == MADE
    assert keys.asked == ["base", "base.1", "base.2", "base.2"]
    assert await Chains().walk("base", keys.call, keys.look) == MADE
    assert keys.asked[4:] == ["base", "base.1", "base.2"]


async def test_what_a_spent_key_left_behind_ends_the_chain_each_time() -> None:
    """Beginning one key later the next time would make a second one."""
    keys, chains = Keys("base"), Chains()
    keys.left = {"id": "in_0"}
    for _ in range(3):
        assert await chains.walk("base", keys.call, keys.look) == {"id": "in_0"}
    assert keys.asked == ["base"] * 3
