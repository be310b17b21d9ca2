"""A notebook in a real browser: open, run, press keys, read what is shown, prove that nothing else ran."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mailml.lab.sample.hostile import MARKER

from .jupyter import Lab

LOCAL = re.compile(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|data:|blob:|about:|file:")
_CURRENT = "window.jupyterapp.shell.currentWidget"
# Asked at every frame, as is usual, a waiting page draws all the time and takes a core from its own kernel.
POLLING = 100  # milliseconds
_CODE = f"Array.from({_CURRENT}.content.widgets).filter(c => c.model.type === 'code')"


class Notebook:
    """One notebook in one tab; `blocked` holds requests that would leave the machine, `errors` the page's."""

    def __init__(self, page: Any, lab: Lab) -> None:
        self.page, self.lab = page, lab
        self.blocked: list[str] = []
        self.errors: list[str] = []
        page.route("**/*", self._gate)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _gate(self, route: Any) -> None:
        if LOCAL.match(route.request.url):
            route.continue_()
        else:
            self.blocked.append(route.request.url)
            route.abort()

    def open(self, name: str) -> Notebook:
        """Open a notebook of the served folder and wait until its kernel is idle."""
        self.page.goto(f"{self.lab.base}/lab/tree/{name}?token={self.lab.token}&reset")
        return self.wait_until_idle()

    def wait_until_idle(self) -> Notebook:
        """Wait until the page is there (again) and its kernel is idle."""
        self.page.wait_for_function(
            f"() => {{ const w = window.jupyterapp && {_CURRENT}; return w && w.context && w.context.isReady"
            " && w.sessionContext.session?.kernel?.status === 'idle' }",
            polling=POLLING,
            timeout=90_000,
        )
        return self

    def run_all(self, timeout: int = 240_000) -> Notebook:
        """Run every cell, wait for the end, and fail on any cell's error."""
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        self.page.wait_for_function(
            # a cell that fails stops the run: the cells below it are never counted
            f"() => {{ const cells = {_CODE}; return (cells.every(c => c.model.executionCount)"
            " || cells.some(c => c.model.outputs.toJSON().some(o => o.output_type === 'error')))"
            f" && {_CURRENT}.sessionContext.session.kernel.status === 'idle' }}",
            polling=POLLING,
            timeout=timeout,
        )
        failed = self.page.evaluate(
            f"() => {_CODE}.flatMap(c => c.model.outputs.toJSON())"
            ".filter(o => o.output_type === 'error').map(o => o.ename + ': ' + o.evalue)"
        )
        assert not failed, failed
        return self.settle()

    def settle(self, milliseconds: int = 300) -> Notebook:
        """Wait until the kernel has been idle for a while: widgets talk after the cell has ended."""
        self.page.wait_for_function(
            f"(ms) => {{ const idle = {_CURRENT}.sessionContext.session.kernel.status === 'idle';"
            " window.__since = idle ? (window.__since || performance.now()) : 0;"
            " return window.__since && performance.now() - window.__since > ms }",
            arg=milliseconds,
            polling=POLLING,
            timeout=60_000,
        )
        return self

    def sources(self) -> list[str]:
        """The text of every cell, to see that no key changed the notebook."""
        found: list[str] = self.page.evaluate(
            f"() => Array.from({_CURRENT}.content.widgets).map(c => c.model.sharedModel.getSource())"
        )
        return found

    def stop_kernel(self) -> None:
        """Shut the kernel down, as a crash or a restart elsewhere would."""
        self.page.evaluate(f"() => {_CURRENT}.sessionContext.shutdown()")

    def restart_kernel(self) -> Notebook:
        """Start the kernel anew, as the menu does."""
        self.page.evaluate(f"() => {_CURRENT}.sessionContext.restartKernel()")
        return self.wait_until_idle()

    def shot(self, selector: str, path: Path) -> Path:
        """A screenshot of the last element that matches."""
        element = self.page.locator(selector).last
        element.scroll_into_view_if_needed()
        element.screenshot(path=str(path))
        return path

    def assert_nothing_ran(self) -> None:
        """No hostile mail ran code in the page, no request left, and the page had no errors."""
        assert self.page.evaluate(f"() => window.{MARKER}") is None
        assert not self.blocked, f"the notebook called out: {self.blocked}"
        assert not self.errors, self.errors
