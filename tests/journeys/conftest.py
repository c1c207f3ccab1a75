"""What the journeys walk in: the sample host as real processes, and Chromium with the face of an ordinary browser."""

import random
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Route

from sample_host.demo_once import PORTS
from sample_host.running import Running, running
from sample_host.services.child_process import ServiceMissing
from tests.requirements import need

WINDOWS_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The sample host with worker, scheduler, mail catcher and web, over a fresh folder."""
    try:
        with running(tmp_path_factory.mktemp("demo"), *random.sample(PORTS, 2)) as started:
            yield started
    except ServiceMissing as missing:
        need("redis", str(missing))


@pytest.fixture
def visitor(browser: Browser, demo: Running) -> Iterator[BrowserContext]:
    """A person's browser; what lies outside the demo answers with a small page, so that clicks may end there."""

    def outside(route: Route) -> None:
        if route.request.url.startswith(demo.address):
            route.continue_()
        else:
            route.fulfill(status=200, content_type="text/html", body="<h1>Elsewhere</h1>")

    # HeadlessChrome in the user agent would count as a machine, and nothing of what it opens as read.
    context = browser.new_context(user_agent=WINDOWS_CHROME, locale="en-GB", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    context.route("**/*", outside)
    yield context
    context.close()
