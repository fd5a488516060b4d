"""The addresses of the pages."""

from aiohttp import web

from services.sandbox.pages import dashboard, hosted, mailbox


def add_pages(app: web.Application) -> None:
    router = app.router
    router.add_get("/", dashboard.index)
    router.add_get("/mailbox", mailbox.show)
    router.add_get("/dashboard/apikeys", dashboard.keys)
    router.add_get("/i/{account}/{token}", hosted.show)
    router.add_post("/i/{account}/{token}/pay", hosted.pay)
    router.add_post("/i/{account}/{token}/decline", hosted.decline)
    router.add_get("/invoice/{account}/{token}/pdf", hosted.pdf)
    for mode in ("", "/test"):
        router.add_get(f"/dashboard/{{account}}{mode}/logs/{{request}}", dashboard.log)
        router.add_get(f"/dashboard/{{account}}{mode}/invoices", dashboard.of_account)
        router.add_get(f"/dashboard/{{account}}{mode}/invoices/{{invoice}}", dashboard.show)
        router.add_post(f"/dashboard/{{account}}{mode}/invoices/{{invoice}}/{{deed}}", dashboard.act)
