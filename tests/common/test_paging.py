import pytest

from services.common.errors import InvalidRequest
from services.common.paging import decode_token, encode_token, page_size


def test_a_token_carries_its_key() -> None:
    assert decode_token(encode_token("a", 3), (str, int)) == ("a", 3)
    assert decode_token("", (str,)) is None


@pytest.mark.parametrize("token", ["%%%", "e30=", encode_token("a"), encode_token(1, "a"), "bm90IGpzb24="])
def test_a_foreign_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidRequest):
        decode_token(token, (str, int))


def test_page_sizes_are_bounded() -> None:
    assert [page_size(asked, 50, 200) for asked in (0, 10, 1000)] == [50, 10, 200]
    with pytest.raises(InvalidRequest):
        page_size(-1, 50, 200)
