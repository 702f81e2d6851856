"""A service with its page, and who visits it with a real browser."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from playwright.sync_api import expect

from maeum.serving.app import create_app

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


DESK = {"width": 1180, "height": 860}
PATIENCE_MS = 30_000


@contextmanager
def served(model, **settings) -> Iterator[str]:
    """The address of a service with a page that runs while the block does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(model, page=True, **settings)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=20,
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 60
    while not (server.started and app.state.service.ready):
        assert thread.is_alive(), "the service did not start"
        assert time.monotonic() < until, "the service did not start in a minute"
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        app.state.service.drain()  # a signal does, where the server has the main thread
        server.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive(), "the service did not stop"


class Visit:
    """One person at the page; whatever their browser asks for is written down."""

    def __init__(self, browser, address, **context):
        settings = {"locale": "ko-KR", "viewport": DESK, **context}
        self.context = browser.new_context(**settings)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.requests, self.errors = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(address)
        self.button.wait_for()
        self.page.wait_for_function("document.documentElement.dataset.ready === ''")

    @property
    def button(self):
        return self.page.locator("#m-button")

    @property
    def answer(self):
        return self.page.locator("#m-answer")

    def upload(self, path, where="#m-recording"):
        files = self.page.locator(f"{where} input[type=file]")
        if files.count() == 0:
            self.page.locator(f"{where} .source-selection button").first.click()
        files.set_input_files(str(path))
        self.page.locator(f"{where} .play-pause-button, {where} .error").first.wait_for(
            state="attached"
        )

    def ask(self):
        before = self.answer.inner_html()
        self.button.click()
        self.page.wait_for_function(
            "before => document.querySelector('#m-answer').innerHTML !== before"
            " && !document.querySelector('#m-answer .generating, #m-answer .wrap.translucent')",
            arg=before,
        )

    def shown(self):
        """Emotion -> per cent, as it stands on the page."""
        bars = self.page.locator(".m-answer .m-bars li")
        expect(bars.first).to_be_visible()
        return {
            bar.get_attribute("data-emotion"): bar.locator(".m-value").inner_text()
            for bar in bars.all()
        }

    def leave(self):
        self.context.close()
