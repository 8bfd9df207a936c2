"""A person at the keyboard alone: real key presses, and at every step a focus that can be seen and that moves on.

Nothing here clicks or fills by selector: Tab goes to a thing, Enter, Space and arrows use it, letters are typed. A
selector says only where to stop. The one thing keys cannot do here is walk the machine's own file dialog: a file is
chosen in it once Enter or Space on the field has opened it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

MOST = 250
"""Presses of Tab after which a thing counts as out of reach."""

_FOCUS = """() => {
  const at = document.activeElement;
  if (!at || at === document.body || at === document.documentElement) return null;
  const seen = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  // a radio's or checkbox's own box is drawn by its label
  const label = at.labels && at.labels.length && /^(radio|checkbox)$/.test(at.type) ? at.labels[0] : null;
  const box = (label || at).getBoundingClientRect();
  window.focusSerials = window.focusSerials || new Map();
  if (!window.focusSerials.has(at)) window.focusSerials.set(at, window.focusSerials.size);
  return {
    serial: window.focusSerials.get(at),
    what: at.outerHTML.slice(0, 160),
    // within a date the browser itself marks the day, the month, the year or the calendar
    visible: at.type === "date" || at.matches(":focus-visible") && (seen(getComputedStyle(at)) ||
      (label !== null && (seen(getComputedStyle(label)) || seen(getComputedStyle(label, "::before"))))),
    placed: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight &&
      box.right > 0 && box.left < innerWidth,
  };
}"""
_IS = """([selector, text]) => document.activeElement.matches(selector)
  && document.activeElement.textContent.includes(text)"""


class Keyboard:
    """The keys of one page. Every method asserts that the focus can be seen where it stops."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def focused(self) -> dict[str, Any] | None:
        """What has the focus; None between the page's end and its beginning. It is visible, or this fails."""
        found = self.page.evaluate(_FOCUS)
        for _ in range(50):  # an outline or a link past the head may still be moving in
            if found is None or (found["visible"] and found["placed"]):
                break
            self.page.wait_for_timeout(20)
            found = self.page.evaluate(_FOCUS)
        if found is not None:
            assert found["visible"], f"no visible focus: {found['what']}"
            assert found["placed"], f"focus outside of what is seen: {found['what']}"
        return found

    def tab(self, key: str = "Tab") -> dict[str, Any] | None:
        """One press of Tab: the focus is elsewhere afterwards, so nothing traps it."""
        before = self.page.evaluate(_FOCUS)
        parts = 4 if before is not None and 'type="date"' in before["what"] else 1  # day, month, year and the calendar
        for _ in range(parts):
            self.page.keyboard.press(key)
            after = self.focused()
            if before is None or after is None or after["serial"] != before["serial"]:
                break
        if before is not None and after is not None:
            assert after["serial"] != before["serial"], f"trapped: {before['what']}"
        return after

    def to(self, selector: str, text: str = "") -> None:
        """Tab until the focus is on a thing, from wherever it is."""
        for _ in range(MOST):
            found = self.tab()
            if found is not None and self.page.evaluate(_IS, [selector, text]):
                return
        raise AssertionError(f"{selector} {text} cannot be reached by Tab on {self.page.url}")

    def press(self, selector: str, text: str = "", key: str = "Enter") -> None:
        """Go to a link or button and use it."""
        self.to(selector, text)
        self.page.keyboard.press(key)

    def type(self, selector: str, text: str) -> None:
        """Go to a field and type; what stands in it is replaced, as Tab selects it."""
        self.to(selector)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def file(self, selector: str, *paths: Path) -> None:
        """Go to a field for files, open the machine's dialog with Space, and choose."""
        self.page.wait_for_load_state()
        self.to(selector)
        opened: list[Any] = []
        self.page.once("filechooser", lambda chooser: opened.append(chooser))  # noqa: PLW0108 - the driver takes no built-in
        for _ in range(20):  # on a busy machine a page just loaded may miss the first press
            self.page.keyboard.press("Space")
            for _ in range(30):
                if opened:
                    break
                self.page.wait_for_timeout(50)
            if opened:
                break
        assert opened, f"{selector} opens no dialog by the keyboard"
        opened[0].set_files([str(path) for path in paths])

    def choose(self, selector: str, value: str) -> None:
        """Go to a list and move down to a value with the arrow."""
        self.to(selector)
        for _ in range(MOST):
            if self.page.evaluate("document.activeElement.value") == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{selector} has no {value}")

    def radio(self, name: str, value: str) -> None:
        """Go to a group of choices and move to one of them: arrows within, Space to choose."""
        self.to(f"input[name={name}]")
        for _ in range(MOST):
            if self.page.evaluate("document.activeElement.value") == value:
                self.page.keyboard.press("Space")
                assert self.page.evaluate("document.activeElement.checked")
                return
            self.page.keyboard.press("ArrowDown")
            self.focused()
        raise AssertionError(f"{name} has no {value}")

    def skip(self) -> None:
        """From the top of a page over its head: the first stop is the link past the navigation."""
        self.page.evaluate("window.scrollTo(0, 0)")
        found = self.tab()
        assert found is not None
        assert "Skip to main content" in found["what"]
        self.page.keyboard.press("Enter")

    def walk(self) -> int:
        """Through every stop of a page to its end, and from there back by Shift+Tab: the same stops, and no trap."""
        self.page.reload()
        forward, back = self._stops("Tab"), self._stops("Shift+Tab")
        assert forward == back, f"{self.page.url}: {len(forward)} stops forward, {len(back)} back"
        return len(forward)

    def _stops(self, key: str) -> set[int]:
        stops: set[int] = set()
        while (found := self.tab(key)) is not None and found["serial"] not in stops:
            stops.add(found["serial"])
            assert len(stops) < MOST, f"{key} never comes to an end on {self.page.url}"
        return stops
