"""The views, by name. A new one is a file here and a line in `VIEWS`; dashboard, tests and docs read it from there."""

from nnwidgets.display.view import View
from nnwidgets.views.activations import ActivationsView
from nnwidgets.views.embedding import EmbeddingView
from nnwidgets.views.filters import FiltersView
from nnwidgets.views.occlusion import NOUNS, FeatureOcclusionView, OcclusionView

__all__ = [
    "VIEWS",
    "ActivationsView",
    "EmbeddingView",
    "FeatureOcclusionView",
    "FiltersView",
    "OcclusionView",
    "views_of",
]

VIEWS: dict[str, type[View]] = {
    view.name: view
    for view in (
        ActivationsView,
        FiltersView,
        OcclusionView,
        EmbeddingView,
    )
}


def views_of(input_kind: str) -> dict[str, type[View]]:
    """The views for one kind of input: rows, texts and series have their single values covered, not squares."""
    return {**VIEWS, FeatureOcclusionView.name: FeatureOcclusionView} if input_kind in NOUNS else VIEWS
