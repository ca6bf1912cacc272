"""The Occlusion view."""

from nnwidgets.views.occlusion.view import OcclusionView

__all__ = ["OcclusionView"]
