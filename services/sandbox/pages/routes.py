"""The addresses of the pages."""

from aiohttp import web


def add_pages(app: web.Application) -> None:
    """Adds the pages."""
