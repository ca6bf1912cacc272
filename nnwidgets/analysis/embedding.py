"""Maps of a layer's activations by PCA and t-SNE. `live_tsne` has the t-SNE that follows training."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from nnwidgets.analysis.engine.affinities import graph_of
from nnwidgets.analysis.engine.compiled import loaded, worth_loading
from nnwidgets.analysis.engine.features import features
from nnwidgets.analysis.engine.inputs import (
    centred,
    check_count,
    checked_init,
    checked_perplexity,
    checked_seed,
    fitting_perplexity,
    rows_of,
)
from nnwidgets.analysis.engine.layout import spread
from nnwidgets.analysis.engine.neighbour_pairs import Neighbours
from nnwidgets.analysis.engine.neighbours import nearest
from nnwidgets.analysis.engine.principal import follow_basis, principal_scores
from nnwidgets.analysis.engine.slicing import Steps, finished
from nnwidgets.analysis.engine.tsne_forces import FINISHED_SPACING, DenseForces, SparseForces, forces_for
from nnwidgets.analysis.engine.tsne_optimizer import Descent, Phase, scratch

__all__ = ["Embedding", "features", "pca", "tsne", "with_neighbours"]

FEWEST = 8  # samples; fewer are mapped by PCA
MOST = {2: 100_000, 3: 20_000}  # samples; 3-D has no grid, so that all pairs are summed
REDUCED_TO = 50
START_SPREAD = 1e-4
_LISTED = 10  # neighbours of each row that an `Embedding` holds


@dataclass(frozen=True)
class Embedding:
    """A map of samples. The axes of a t-SNE have no unit.

    positions: (n, dims) float32 on the CPU, row i is sample i of the input, centred unless aligned to an earlier map.
    kl_divergence: KL(P || Q) in nats over the P that was optimised, NaN for PCA.
    iterations: of gradient descent.
    perplexity: the one used, None for PCA.   explained: share of the variance that PCA shows, 0 to 1, None for t-SNE.
    recall: share of the true nearest neighbours that P was made of, 0 to 1. Measured on 256 samples where not all pairs
    were compared.
    neighbours: (n, up to 10) int32, the rows nearest to each row in the input space, nearest first.
    distances: to them, (n, up to 10) float32, Euclidean, in the units of the input. Both are None for fewer than 8
    samples, and for PCA unless added by `with_neighbours`.
    notes: sentences for the caption.
    """

    positions: Tensor
    kl_divergence: float
    method: Literal["tsne", "pca"]
    perplexity: float | None = None
    iterations: int = 0
    notes: tuple[str, ...] = ()
    explained: float | None = None
    recall: float = 1.0
    neighbours: Tensor | None = None
    distances: Tensor | None = None


def pca(x: Tensor | np.ndarray, *, dims: int = 2, device: torch.device | str | None = None) -> Embedding:
    """The first `dims` principal components of `x` (n, features) or of a layer's activation (n, …), in its units.

    Exact, in float64, by `eigh` of the covariance, or of the Gram matrix when features > samples. The sign of each
    component makes its largest score positive. Components beyond the rank are zero.

    `x` is anything that NumPy reads as an array of real numbers: lists of rows, data frames, integers, booleans.
    Feature maps and sequences are flattened to one row per sample; above 4096 features they are averaged first, and
    `notes` says so. Raises ValueError for non-finite values, no samples, fewer than two axes, or dims other than 2 or
    3; TypeError for complex, sparse, nested and quantized tensors and for anything but an array of numbers.

    >>> pca(torch.tensor([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]])).explained
    1.0
    >>> pca(torch.zeros(3, 64, 16, 16)).notes
    ('maps of 16×16 averaged to 8×8',)
    """
    rows, notes = rows_of(x)
    data, scale = centred(rows, dims, device)
    scores, share = principal_scores(data, dims)
    return Embedding((scores * scale).float().cpu(), math.nan, "pca", notes=notes, explained=share)


def tsne(
    x: Tensor | np.ndarray,
    *,
    dims: int = 2,
    perplexity: float = 30.0,
    seed: int = 0,
    init: Tensor | np.ndarray | None = None,
    device: torch.device | str | None = None,
) -> Embedding:
    """The t-SNE map of `x`, up to 100 000 rows (20 000 in 3-D), on the device of `x` unless one is named.

    `x` is (n, features), or a layer's activation (n, …), which is flattened as `pca` does it.
    P is over the 3 · perplexity nearest neighbours (van der Maaten 2014, JMLR 15). Repulsion is over all pairs up to
    4000 rows and in 3-D, else on a grid (after Linderman et al. 2019, Nat. Methods 16), which ends with a KL divergence
    about 1 % higher. It takes 300 to 750 iterations: fewer for more rows, and fewer where the map settles early, as
    maps of up to 400 rows often do. Without numba it takes several times as long.
    `init` (n, dims) is the start, at any scale; None starts from the PCA. Fewer than 8 rows give their PCA. The same
    seed on the same device gives the same map. No global random state is read or written.

    Warns (UserWarning) when perplexity is lowered to (n - 1) / 3. Raises ValueError and TypeError as `pca` does, and
    unless perplexity is a number above 1, `init` is finite and of that shape, and the seed is an integer.

    >>> tsne(torch.eye(20), perplexity=5.0).positions.shape
    torch.Size([20, 2])
    """
    perplexity, generator = checked_perplexity(perplexity), checked_seed(seed)
    rows, notes = rows_of(x)
    data, scale = centred(rows, dims, device)
    n = data.shape[0]
    check_count(n, MOST[dims])
    start = checked_init(init, n, dims, data.device)
    if n < FEWEST:
        return few(data, dims, notes)
    used, lowered = fitting_perplexity(perplexity, n)
    if lowered:
        warnings.warn(lowered, stacklevel=2)
    if start is None:
        start = principal_scores(data, dims)[0]
    start = spread(start, START_SPREAD, generator)
    loops = worth_loading(n)
    found = finished(nearest(data, neighbours_for(n, used), loops=loops))
    graph = finished(graph_of(found.indices, found.distances, used, loops=loops))
    forces = forces_for(graph, dims, spacing=FINISHED_SPACING, loops=loops)
    return finished(descended(Descent(start.float()), forces, scratch(n), found, scale, used, (*notes, lowered)))


def with_neighbours(embedding: Embedding, x: Tensor | np.ndarray) -> Steps[Embedding]:
    """Add to the `embedding` of `x` the neighbours of its rows. Wide rows are reduced as `LiveTSNE` does it."""
    data, scale = centred(rows_of(x)[0], 2, None)
    n = data.shape[0]
    if n < FEWEST:
        return embedding
    if data.shape[1] > REDUCED_TO:
        generator = torch.Generator("cpu").manual_seed(0)
        data = data @ (yield from follow_basis(data, min(REDUCED_TO, *data.shape), None, generator))
    found = yield from nearest(data, min(_LISTED, n - 1), loops=loaded(n))
    return replace(embedding, neighbours=_rows(found), distances=_distances(found, scale))


def neighbours_for(n: int, perplexity: float) -> int:
    """How many neighbours of each row P takes into account."""
    return min(n - 1, math.ceil(3 * perplexity))


def descended(
    descent: Descent,
    forces: DenseForces | SparseForces,
    schedule: tuple[Phase, ...],
    found: Neighbours,
    scale: float,
    perplexity: float,
    notes: tuple[str, ...],
) -> Steps[Embedding]:
    """The map at the end of a descent. `scale` is the unit of the distances in `found`."""
    iterations = yield from descent.run(forces.gradient, schedule)
    kl = yield from forces.kl_divergence(descent.positions)
    approximate = f"neighbours approximate, {100 * found.recall:.1f} % of them right" if found.recall < 1 else ""
    return Embedding(
        descent.positions.cpu(),
        float(kl),
        "tsne",
        perplexity,
        iterations,
        tuple(text for text in (*notes, approximate) if text),
        recall=found.recall,
        neighbours=_rows(found),
        distances=_distances(found, scale),
    )


def _rows(found: Neighbours) -> Tensor:
    return found.indices[:, :_LISTED].int().cpu()


def _distances(found: Neighbours, scale: float) -> Tensor:
    return (found.distances[:, :_LISTED].sqrt() * scale).float().cpu()


def few(x: Tensor, dims: int, notes: tuple[str, ...]) -> Embedding:
    """The PCA of too few samples for a t-SNE, with a note after the others."""
    scores, share = principal_scores(x, dims)
    note = f"PCA: t-SNE needs at least {FEWEST} samples, got {x.shape[0]}"
    return Embedding(scores.float().cpu(), math.nan, "pca", notes=(*notes, note), explained=share)
