"""A real browser plays what was copied in part, from the first frame to the last."""

from __future__ import annotations

import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from .drawing import Clip, draw
from .splicing import spliced

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

PAGE = "<video id=v muted src=out.mp4></video>"
PLAY = """() => new Promise((done) => {
    const shown = [];
    const note = (_, frame) => { shown.push(frame.mediaTime); v.requestVideoFrameCallback(note); };
    v.requestVideoFrameCallback(note);
    v.onended = () => done({error: null, end: v.currentTime, shown});
    v.onerror = () => done({error: v.error.message, end: v.currentTime, shown});
    v.playbackRate = 0.5;
    v.play();
})"""


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path (`apt-get install chromium`)")
def test_chromium_plays_it(tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    options = {"g": "12", "bf": "2", "crf": "20", "sc_threshold": "0"}
    source = draw(tmp_path, Clip("in.mp4", num_frames=72, width=320, height=180, options=options))
    copied = spliced(source, tmp_path / "out.mp4", {1, 3, 4})
    (tmp_path / "page.html").write_text(PAGE)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/page.html")
            played = page.evaluate(PLAY)
            browser.close()
    finally:
        server.shutdown()
        server.server_close()
    assert played["error"] is None
    assert played["end"] == pytest.approx(72 / 25, abs=0.1)
    # A busy machine skips frames; what is shown is in order, and of every group, copied or not.
    shown = [round(seconds * 25) for seconds in played["shown"]]
    assert shown == sorted(shown)
    assert {number // 12 for number in shown} == set(range(6))
    assert copied.sum() == 36
