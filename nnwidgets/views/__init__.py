"""The views, by name. A new one is a file here and a line in `VIEWS`; dashboard, tests and docs read it from there."""

from nnwidgets.display.view import View
from nnwidgets.views.activations import ActivationsView
from nnwidgets.views.embedding import EmbeddingView
from nnwidgets.views.filters import FiltersView
from nnwidgets.views.occlusion import OcclusionView

__all__ = ["VIEWS", "ActivationsView", "EmbeddingView", "FiltersView", "OcclusionView"]

VIEWS: dict[str, type[View]] = {
    view.name: view
    for view in (
        ActivationsView,
        FiltersView,
        OcclusionView,
        EmbeddingView,
    )
}
