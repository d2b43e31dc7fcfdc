"""The live page: what a newcomer sees first, and a reader of the topics like any.

`Page` is what is shown, `serve` puts it on HTTP, `show` feeds it from inboxes::

    page = Page(cameras=["hall"], zones=lambda: zones, now_us=clock.now_us)
    async with serve(page, port=8000, metrics=metrics) as url:
        await show(inboxes, page, clock, max_age_s=1.0)

`Exhibits` and `lines_of` tell it of the stored pictures of alerts, and of the lines of rules.
"""

from connectors.web.exhibits import Exhibits
from connectors.web.feed import show, tell
from connectors.web.guard import Access
from connectors.web.page import Page
from connectors.web.places import lines_of
from connectors.web.server import serve

__all__ = ["Access", "Exhibits", "Page", "lines_of", "serve", "show", "tell"]
