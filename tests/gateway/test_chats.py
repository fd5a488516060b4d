"""Where a seller writes to a buyer."""

import pytest

from services.gateway.dashboard.views.chats import chat_of


@pytest.mark.parametrize(
    ("platform", "handle", "user_id", "url"),
    [
        ("instagram", "@maya.k", "17841", "https://ig.me/m/maya.k"),
        ("Instagram", "maya_k", "", "https://ig.me/m/maya_k"),
        ("facebook", "Maya Lin", "100012345678", "https://www.facebook.com/messages/t/100012345678"),
        ("whatsapp", "", "+447700900123", "https://wa.me/447700900123"),
        ("tiktok", "@maya", "1", "https://www.tiktok.com/@maya"),
    ],
)
def test_platforms_have_an_address_for_the_buyer(platform: str, handle: str, user_id: str, url: str) -> None:
    chat = chat_of(platform, handle, user_id)
    assert chat is not None
    assert chat.url == url


@pytest.mark.parametrize(
    ("platform", "handle", "user_id"),
    [
        ("instagram", "a/../b?x=1", "1"),
        ("instagram", "two words", "1"),
        ("instagram", "", "1"),
        ("facebook", "@maya", "u1"),
        ("whatsapp", "@maya", "javascript:alert(1)"),
        ("elsewhere", "@maya", "1"),
    ],
)
def test_no_address_is_made_of_what_names_nobody(platform: str, handle: str, user_id: str) -> None:
    assert chat_of(platform, handle, user_id) is None
