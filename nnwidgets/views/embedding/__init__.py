"""Where samples lie by a layer's response, following the training."""

from nnwidgets.views.embedding.view import EmbeddingView

__all__ = ["EmbeddingView"]
