"""A headless Chromium by ChromeDriver's own HTTP interface, for pages from files and from servers of this machine."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

__all__ = ["Browser", "missing"]

_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
]  # fmt: skip
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def missing() -> str | None:
    """Why no browser can be driven here; None if one can."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian packages chromium and chromium-driver)"
    return None


class Browser:
    """One browser window; close it when done. profile: an empty folder for the browser's own files."""

    def __init__(self, profile: Path, width: int = 1400, height: int = 1000, *, is_dark: bool = False) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._base = f"http://127.0.0.1:{port}"
        flags = [*_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"]
        flags += ["--force-dark-mode"] if is_dark else []
        options = {"args": flags, "binary": shutil.which("chromium")}
        always = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        try:
            self._await_driver()
            session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": always}})
        except BaseException:
            self._end_driver()
            raise
        self._base += f"/session/{session['sessionId']}"

    def open(self, file: Path) -> None:
        self.visit(file.resolve().as_uri())

    def visit(self, address: str) -> None:
        self._call("POST", "/url", {"url": address})

    def run(self, script: str, *arguments: Any) -> Any:
        """The value that a script returns."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def settle(self) -> None:
        """Wait until what was asked to be drawn has been drawn."""
        script = (
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)));"
        )
        self._call("POST", "/execute/async", {"script": script, "args": []})

    def find(self, selector: str) -> str:
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[_ELEMENT])

    def click(self, selector: str) -> None:
        self._call("POST", f"/element/{self.find(selector)}/click", {})
        self.settle()

    def point(self, selector: str, *, x: int, y: int) -> None:
        """Move the pointer to a place in an element, from its top left corner."""
        self._pointer([self._move(selector, x, y)])

    def drag(self, selector: str, *, from_x: int, to_x: int, y: int) -> None:
        down, up = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
        middle = (from_x + to_x) // 2
        moves = [self._move(selector, x, y) for x in (from_x, middle, to_x)]
        self._pointer([moves[0], down, *moves[1:], up])

    def complaints(self) -> list[str]:
        """What the console has said since it was last asked."""
        return [f"{entry['level']}: {entry['message']}" for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def screenshot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self._call("GET", "/screenshot")))

    def close(self) -> None:
        try:
            self._call("DELETE", "")
        finally:
            self._end_driver()

    def _move(self, selector: str, x: int, y: int) -> dict[str, Any]:
        self.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        corner = self.run(
            "const r = document.querySelector(arguments[0]).getBoundingClientRect(); return [r.left, r.top];", selector
        )
        place = {"x": round(corner[0] + x), "y": round(corner[1] + y), "origin": "viewport"}
        return {"type": "pointerMove", "duration": 20, **place}

    def _pointer(self, actions: list[dict[str, Any]]) -> None:
        source = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
        self._call("POST", "/actions", {"actions": [source]})
        self.settle()

    def _await_driver(self) -> None:
        for _ in range(100):
            try:
                if self._call("GET", "/status")["ready"]:
                    return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("chromedriver did not start within 10 s")

    def _end_driver(self) -> None:
        self._driver.terminate()
        self._driver.wait(timeout=20)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._base + path, data=data, method=method, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as e:
            raise RuntimeError(f"{method} {path}: {e.read().decode()[:600]}") from e
