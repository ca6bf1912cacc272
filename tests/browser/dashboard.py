"""What a test does with the dashboard: its tabs and places, layers, status."""

import re

from playwright.sync_api import Locator, expect

from tests.browser.lab import Notebook
from tests.browser.views import GridView


class DashboardOnPage:
    """The dashboard on the page of a notebook; in Python it and the inspector go by these names."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.root = notebook.view(".nnw-dashboard")
        self.first = self.root.locator(".nnw-view.nnw-first")
        self.second = self.root.locator(".nnw-view.nnw-second")
        self.second_row = self.root.locator(".nnw-tab-row-second")
        self.pause = self.root.locator(".nnw-status-actions button").first
        self.refresh = self.root.locator(".nnw-refresh")

    @property
    def open_view(self) -> Locator:
        return self.root.locator(".nnw-view").filter(visible=True)

    def grid(self) -> GridView:
        return GridView(self.notebook, self.open_view)

    def tab(self, title: str) -> Locator:
        """A tab of the first row."""
        return self._tab(self.root.locator(".nnw-tab-row:not(.nnw-tab-row-second)"), title)

    def beside(self, title: str) -> None:
        """Open a view beside the one on show."""
        self.root.get_by_role("button", name="Open a second view beside this one").click()
        self.second_tab(title)

    def second_tab(self, title: str) -> None:
        """Open a tab of the second row, which may have room for the groups or for a menu only."""
        expect(self.second_row).to_be_visible()
        tab, menu = self._tab(self.second_row, title), self.second_row.get_by_role("combobox")
        if menu.is_visible():
            menu.select_option(label=title)
            return
        for group in self.second_row.locator(".nnw-group").filter(visible=True).all():
            if not tab.is_visible():
                group.click()
        tab.click()

    def close_second(self) -> None:
        self.root.get_by_role("button", name="Close this view").click()

    def row(self, layer: str) -> Locator:
        return self.root.locator(f"[role=treeitem][data-name='{layer}']")

    def item_of(self, name: str) -> Locator:
        return self.root.locator(f".nnw-item[data-name={name}] .nnw-item-value")

    def item(self, name: str) -> str:
        """What the status says of "step", "loss" …"""
        return self.item_of(name).inner_text()

    def until_layer(self, layer: str) -> None:
        self.notebook.until(
            lambda: self.notebook.python("inspector.selection.layer") == layer, f"the layer to be {layer}"
        )
        expect(self.row(layer)).to_have_attribute("aria-selected", "true")

    @staticmethod
    def _tab(row: Locator, title: str) -> Locator:
        return row.get_by_role("tab", name=re.compile(f"^{re.escape(title)}$"))
