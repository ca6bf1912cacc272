"""The dashboard makes views when they are opened, keeps them, and stands what they raise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from ipywidgets.widgets import widget as registry
from torch import nn

import nnwidgets as nnw
from nnwidgets.blocks.text import Text
from nnwidgets.display.dashboard import Dashboard
from nnwidgets.display.page_code import page_code
from nnwidgets.display.view import View
from nnwidgets.views import VIEWS

WIDGETS_AT_FIRST = 25


class First(View):
    """What the model is, in a word."""

    name, title, group = "first", "First", "Model"

    def compute(self) -> str:
        return "words"

    def layout(self, result: str) -> list[Text]:
        return [Text(result)]


class Second(First):
    """Another."""

    name, title, group = "second", "Second", "Layers"


class NeedsText(First):
    """Can't be shown for pictures."""

    name, title, group = "needs_text", "Needs text", "Layers"

    def blocked(self) -> str:
        return f"needs text, and the dataset has {len(self.run.samples)} pictures"


class Broken(First):
    """Raises while it is made."""

    name, title = "broken", "Broken"

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        raise ZeroDivisionError("no such view")


class Confused(First):
    """Raises when it is asked what it needs, and when it is asked whether it can be shown."""

    name, title = "confused", "Confused"

    def needs(self) -> Any:
        if self.shown:
            raise ValueError("needs what?")
        return ()

    def blocked(self) -> str:
        if not hasattr(self, "job"):
            raise RuntimeError("asked too early")
        return ""


OURS: dict[str, type[View]] = {view.name: view for view in (First, Second, NeedsText)}


@pytest.fixture(name="inspector")
def inspector_() -> Iterator[nnw.Inspector]:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    inspector = nnw.Inspector(model, torch.zeros(5, 1, 8, 8), probe=4)
    yield inspector
    inspector.close()


@pytest.fixture(name="dashboard")
def dashboard_(inspector: nnw.Inspector) -> Dashboard:
    return Dashboard(inspector._session, OURS)


def tabs_of(dashboard: Dashboard) -> dict[str, Any]:
    return dashboard._header("tabs")


def test_views_are_made_when_they_are_opened_and_kept(dashboard: Dashboard) -> None:
    assert list(dashboard.views) == [dashboard.tab] == ["second"]
    second = dashboard.views["second"]
    dashboard._command("tab", {"tab": "first"})
    dashboard._command("tab", {"tab": "second"})
    assert list(dashboard.views) == ["second", "first"]
    assert dashboard.views["second"] is second
    assert dashboard._body.children == (dashboard.panel, second, dashboard.views["first"])
    assert [view.shown for view in dashboard.views.values()] == [True, False]


def test_tabs_stand_group_after_group_and_those_that_cannot_work_say_why(dashboard: Dashboard) -> None:
    tabs = tabs_of(dashboard)["tabs"]
    assert [(tab["name"], tab["group"]) for tab in tabs] == [
        ("second", "Layers"),
        ("needs_text", "Layers"),
        ("first", "Model"),
    ]
    assert [tab["reason"] for tab in tabs] == ["", "needs text, and the dataset has 5 pictures", ""]


def test_a_second_view_stands_beside_the_first_and_changes_places_with_it(dashboard: Dashboard) -> None:
    dashboard._command("beside", {"tab": "first"})
    assert (dashboard.tab, dashboard.beside) == ("second", "first")
    assert all(view.shown for view in dashboard.views.values())
    dashboard._command("tab", {"tab": "first"})
    assert (dashboard.tab, dashboard.beside) == ("first", "second")
    dashboard._command("beside", {"tab": "first"})
    assert (dashboard.tab, dashboard.beside) == ("second", "first")
    assert tabs_of(dashboard)["opened"] == ["second", "first"]
    dashboard._command("beside", {"tab": None})
    assert (dashboard.tab, dashboard.beside) == ("second", None)
    assert [view.shown for view in dashboard.views.values()] == [True, False]


def test_what_a_view_raises_while_it_is_made_shows_in_its_place(inspector: nnw.Inspector) -> None:
    before = dict(registry._instances)
    dashboard = Dashboard(inspector._session, OURS, views=[Broken, "first", Confused], tab="broken")
    assert tabs_of(dashboard)["errors"] == {"broken": "ZeroDivisionError: no such view"}
    with pytest.raises(
        RuntimeError, match="expected a result to draw, got none: it could not be made: ZeroDivisionError: no such view"
    ):
        dashboard.figure()
    dashboard._command("tab", {"tab": "first"})
    assert tabs_of(dashboard)["errors"] == {}
    assert dashboard.views["first"].result == "words"
    dashboard._command("tab", {"tab": "confused"})
    assert "needs what?" in str(dashboard.views["confused"].failure)
    dashboard.close()
    assert set(registry._instances) - set(before) <= {page_code().model_id}


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"views": ["frist"]}, KeyError, "no 'frist'; expected a class or one of first"),
        ({"views": [3]}, TypeError, "or a class that inherits from nnwidgets.View, got 3"),
        ({"views": [View]}, TypeError, "a name and a title, got View without"),
        ({"views": ["first", First]}, ValueError, "a name of its own for each, got 'first' twice"),
        ({"views": []}, ValueError, "at least one, got none"),
        ({"views": ["first"], "tab": "second"}, ValueError, "tab: expected one of first, got 'second'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    inspector: nnw.Inspector, keywords: dict[str, Any], error: type[Exception], words: str
) -> None:
    before = set(registry._instances)
    with pytest.raises(error, match=words):
        Dashboard(inspector._session, OURS, **keywords)
    assert set(registry._instances) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tab", {"tab": "nine"}),
        ("tab", None),
        ("beside", {"tab": 3}),
        ("beside", "first"),
        ("select", {}),
        ("dance", {}),
    ],
)
def test_nonsense_from_the_page_is_refused_and_changes_nothing(dashboard: Dashboard, name: str, value: Any) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        dashboard._command(name, value)
    assert (dashboard.tab, dashboard.beside, list(dashboard.views)) == ("second", None, ["second"])


def test_the_layer_list_selects_for_all_views(dashboard: Dashboard, inspector: nnw.Inspector) -> None:
    dashboard._command("select", {"layer": "1"})
    assert inspector.selection.layer == "1"
    assert dashboard._header("layers")["selected"] == "1"


def test_closing_leaves_nothing(inspector: nnw.Inspector) -> None:
    holder = page_code()
    before = set(registry._instances)
    dashboard = Dashboard(inspector._session, OURS)
    dashboard._command("beside", {"tab": "first"})
    dashboard.close()
    dashboard.close()
    assert set(registry._instances) == before
    assert page_code() is holder


def test_few_widgets_are_made_before_a_second_tab_is_opened(inspector: nnw.Inspector) -> None:
    before = len(registry._instances)
    dashboard = Dashboard(inspector._session, VIEWS)
    made = len(registry._instances) - before
    assert made <= WIDGETS_AT_FIRST, dashboard.views
