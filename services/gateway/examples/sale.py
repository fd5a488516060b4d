"""A show with its items, claims and buyers."""

from typing import Final

from services.gateway.examples.ids import BUYER, CURSOR, ETAG, INVOICE, ITEM, PAY_PATH, SHOW, at
from services.gateway.schemas.shows import (
    BuyerChange,
    BuyerPage,
    BuyerView,
    ClaimBody,
    ClaimPage,
    ClaimsBody,
    ClaimsTaken,
    ClaimView,
    ImportReport,
    ItemBody,
    ItemChange,
    ItemPage,
    ItemsBody,
    ItemsTaken,
    ItemView,
    NewShow,
    RejectedClaim,
    RejectedLine,
    ShowChange,
    ShowPage,
    ShowView,
)

_SHOW: Final = ShowView(
    id=SHOW,
    name="Sunday vintage",
    state="ended",
    currency="GBP",
    start_time=at(18),
    end_time=at(19, 45),
    created_at=at(12),
    seq=1204,
    item_count=120,
    claim_count=861,
    buyer_count=74,
    etag=ETAG,
    claims_arrived_at=at(19, 44),
)
_ITEM: Final = ItemView(
    id=ITEM, item_number="85123A", title="White hanging heart T-light holder", price=255, quantity=12, etag=ETAG
)
BUYER_OF_SHOW: Final = BuyerView(
    id=BUYER,
    platform="facebook",
    platform_user_id="10221940",
    handle="@rosa.finds",
    display_name="Rosa M.",
    email="rosa@example.com",
    claim_count=3,
    line_count=2,
    unpriced_count=0,
    total=1530,
    pay_path=PAY_PATH,
    paid_total=0,
    opened_count=1,
    first_opened_at=at(19, 55),
    etag=ETAG,
)
_CLAIM: Final = ClaimView(
    claim_id="fb-77120-1",
    platform="facebook",
    platform_user_id="10221940",
    user_handle="@rosa.finds",
    display_name="Rosa M.",
    item_number="85123A",
    quantity=2,
    status="winner",
    claimed_at=at(18, 12, 40),
    sequence=1,
    email="rosa@example.com",
    item_title="White hanging heart T-light holder",
    item_price=255,
)

SALE: Final = (
    NewShow(name="Sunday vintage", currency="GBP", start_time=at(18)),
    ShowChange(name="Sunday vintage, part two"),
    _SHOW,
    ShowPage([_SHOW], CURSOR),
    ItemsBody(
        [
            ItemBody(item_number="85123A", title="White hanging heart T-light holder", price=255, quantity=12),
            ItemBody(item_number="71053", title="White metal lantern"),
        ]
    ),
    ItemsTaken(created=1, updated=1, unchanged=0),
    ItemChange(price=339),
    _ITEM,
    ItemPage([_ITEM], CURSOR),
    ClaimsBody(
        [
            ClaimBody(
                claim_id="fb-77120-1",
                platform="facebook",
                platform_user_id="10221940",
                item_number="85123A",
                status="winner",
                user_handle="@rosa.finds",
                quantity=2,
                claimed_at=at(18, 12, 40),
                sequence=1,
            )
        ]
    ),
    ClaimsTaken(
        created=1, updated=0, unchanged=0, rejected=[RejectedClaim(4, "fb-77125-1", "There is no item 99999.")]
    ),
    ClaimPage([_CLAIM], CURSOR),
    ImportReport(
        created=860,
        updated=0,
        unchanged=0,
        rejected=[RejectedLine(17, "The quantity must be a whole number of at least 1.")],
        rejected_count=1,
        encoding="UTF-8",
        separator="comma",
    ),
    BuyerChange(email="rosa@example.com"),
    BUYER_OF_SHOW,
    BuyerPage([BUYER_OF_SHOW], CURSOR),
)
FILES: Final = {
    "importItemsFile": "item_number,title,price\n85123A,White hanging heart T-light holder,255\n",
    "exportFile": "claim_id,platform,platform_user_id,user_handle,display_name,item_number,quantity,status,claimed_at\n"
    "fb-77120-1,facebook,10221940,@rosa.finds,Rosa M.,85123A,2,winner,2026-11-24T18:12:40Z\n",
    "followVerification": '{"progress":{"seenCount":110,"foundCount":110,"expectedCount":110}}\n'
    '{"rows":{"findings":[],"buyers":[{"buyerId":"01a21426-0523-7317-b108-4d97beda8334","platform":"facebook",'
    '"platformUserId":"10221940","handle":"@rosa.finds","owed":510,"invoiced":510,"providerTotal":510,'
    '"invoiceCount":1,"providerInvoiceCount":1,"verdict":"proven","reason":""}]}}\n'
    '{"result":{"verdict":"proven","proven":true,"showName":"Advent sale","currency":"GBP",'
    '"verifiedAt":"2026-11-24T20:00:00Z","invoiceCount":110,"providerInvoiceCount":110,"findings":[],"buyers":[],'
    '"uncheckedAccounts":[]}}\n',
    "importClaimsFile": "claim_id,platform,platform_user_id,item_number,status\n"
    "fb-77120-1,facebook,10221940,85123A,winner\n",
    "importInvoicesFile": "invoice_id,number,total_decimal,currency,paid_outside\n"
    f"{INVOICE},RBN-0042,15.30,GBP,bank transfer 12 Nov\n",
    "importBuyersFile": "platform,platform_user_id,display_name,email\nfacebook,10221940,Rosa M.,rosa@example.com\n",
}
"""CSV and JSON lines, by the operation that takes or gives it."""
