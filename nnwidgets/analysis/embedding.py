"""Maps of a hidden layer: PCA, t-SNE, and a t-SNE that follows training. No model and no widget in here."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from nnwidgets.analysis.engine.affinities import Graph, conditional, joint_graph
from nnwidgets.analysis.engine.descent import WARM, Descent, Phase, restart, scratch
from nnwidgets.analysis.engine.features import features
from nnwidgets.analysis.engine.inputs import (
    centred,
    check_count,
    check_dims,
    check_perplexity,
    checked_ids,
    checked_init,
    fitting_perplexity,
)
from nnwidgets.analysis.engine.layout import RESTART_SPREAD, aligning, overlap, place_new, spread
from nnwidgets.analysis.engine.neighbours import nearest
from nnwidgets.analysis.engine.pace import Steps, finished, paced
from nnwidgets.analysis.engine.principal import follow_basis, principal_scores
from nnwidgets.analysis.engine.tsne_forces import FINISHED_SPACING, LIVE_SPACING, forces_for
from nnwidgets.analysis.engine.tsne_sums import Loops, loaded, worth_loading

__all__ = ["Embedding", "LiveTSNE", "features", "pca", "tsne"]

FEWEST = 8  # below this t-SNE has nothing to say: PCA
MOST = {2: 100_000, 3: 20_000}  # samples; in three dimensions all pairs repel each other, without a grid
REDUCED_TO = 50
_START_SPREAD = 1e-4
_COMPARED = 10  # neighbours compared between refreshes
_STALE_BELOW = 0.85
_RESTART_EVERY = 5


@dataclass(frozen=True)
class Embedding:
    """A map of samples. The axes of a t-SNE have no unit.

    positions: (n, dims) float32 on the CPU, row i is sample i of the input, centred unless aligned to an earlier map.
    kl_divergence: KL(P || Q) in nats over the P that was optimised, NaN for PCA.
    perplexity: the one used, None for PCA.   explained: share of the variance PCA shows, 0 to 1, None for t-SNE.
    recall: share of the true nearest neighbours that P was made of, 0 to 1; measured on 256 samples where not all pairs
    were compared.
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


def pca(x: Tensor | np.ndarray, *, dims: int = 2, device: torch.device | str | None = None) -> Embedding:
    """The first `dims` principal components of `x` (n, features), in its units.

    Exact, in float64, by `eigh` of the covariance, or of the Gram matrix when features > samples. The sign of each
    component makes its largest score positive; components beyond the rank are zero.

    Raises ValueError for non-finite values, no samples, a shape other than (n, features), or dims other than 2 or 3.

    >>> pca(torch.tensor([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]])).explained
    1.0
    """
    data, scale = centred(x, dims, device)
    scores, share = principal_scores(data, dims)
    return Embedding((scores * scale).float().cpu(), math.nan, "pca", explained=share)


def tsne(
    x: Tensor | np.ndarray,
    *,
    dims: int = 2,
    perplexity: float = 30.0,
    seed: int = 0,
    init: Tensor | np.ndarray | None = None,
    device: torch.device | str | None = None,
) -> Embedding:
    """The t-SNE map of `x` (n, features), up to 100 000 rows (20 000 in 3-D), on the device of `x` unless one is named.

    P over the 3 · perplexity nearest neighbours (van der Maaten 2014, JMLR 15); repulsion over all pairs up to 4000
    rows and in 3-D, else by a grid (after Linderman et al. 2019, Nat. Methods 16), on which the KL divergence is about
    1 % higher; 400 iterations, or 750 below 1 000 rows. With numba (`nnwidgets[fast]`) several times as fast.
    `init` (n, dims) is the start; None takes the PCA. Fewer than 8 rows give their PCA. Same seed, same device: same
    map; no global random state is read or written.

    Warns (UserWarning) when perplexity is lowered to (n - 1) / 3. Raises ValueError as `pca` does, and for
    perplexity <= 1 or an `init` of another shape.

    >>> tsne(torch.eye(20), perplexity=5.0).positions.shape
    torch.Size([20, 2])
    """
    check_perplexity(perplexity)
    data, _ = centred(x, dims, device)
    n = data.shape[0]
    check_count(n, MOST[dims])
    start = checked_init(init, n, dims, data.device)
    if n < FEWEST:
        return _few(data, dims)
    used, note = fitting_perplexity(perplexity, n)
    if note:
        warnings.warn(note, stacklevel=2)
    generator = torch.Generator("cpu").manual_seed(seed)
    if start is None:
        start = spread(principal_scores(data, dims)[0], _START_SPREAD, generator)
    graph, _, recall = finished(_affinities(data, used))
    forces = forces_for(graph, dims, spacing=FINISHED_SPACING, loops=worth_loading(n))
    descent = Descent(start.float())
    schedule = scratch(n)
    finished(descent.run(forces, schedule))
    kl = finished(forces.kl_divergence(descent.positions))
    return _described(descent.positions, kl, used, schedule, note, recall)


@dataclass(frozen=True)
class _Kept:
    """What one refresh leaves for the next; replaced as a whole, so a failed or dropped refresh leaves no trace."""

    ids: tuple[Hashable, ...]
    shown: Tensor
    raw: Descent | None
    nearest: Tensor | None
    basis: Tensor | None
    refreshes: int


class LiveTSNE:
    """A t-SNE map that follows training: points keep their identity, place and orientation from update to update.

    stability="faithful": each update shrinks the last map to a standard deviation of 0.01 and lets it re-form in 100
    iterations, within about 5 % of the KL of a map from scratch. "stable": only each fifth update, or when fewer than
    85 % of the 10 nearest neighbours stayed; 25 plain iterations between, about 6 %, and points move less.
    Layers wider than 50 features are reduced by a PCA whose basis follows the layer. Not for two threads at once.
    """

    def __init__(
        self,
        *,
        dims: int = 2,
        perplexity: float = 30.0,
        seed: int = 0,
        stability: Literal["faithful", "stable"] = "faithful",
        device: torch.device | str | None = None,
    ) -> None:
        check_dims(dims)
        check_perplexity(perplexity)
        if stability not in ("faithful", "stable"):
            raise ValueError(f"stability: expected 'faithful' or 'stable', got {stability!r}")
        self._dims, self._perplexity, self._stability, self._device = dims, perplexity, stability, device
        self._generator = torch.Generator("cpu").manual_seed(seed)
        self._kept: _Kept | None = None

    def update(
        self, x: Tensor | np.ndarray, *, ids: Sequence[Hashable] | Tensor | np.ndarray | None = None
    ) -> Embedding:
        """The map of `x` (n, features), aligned to the last one. Row i of the result is row i of `x`.

        `ids` name the rows and keep them the same points when rows are reordered, dropped or added; None: row numbers.
        Raises ValueError as `tsne` does; the last map stays and the next update goes on from it. A lowered perplexity
        is in `.notes` and not warned of, as this runs in a worker.
        """
        return finished(self._refresh(x, ids, worth_loading))

    def updates(
        self, x: Tensor | np.ndarray, *, ids: Sequence[Hashable] | Tensor | np.ndarray | None = None
    ) -> Iterator[Embedding | None]:
        """The same work in slices of at most 50 ms: None after each, and the map as last item.

        Dropping the iterator early leaves the last map as it was. Compiled loops are used if this process has loaded
        them (`tsne` and `update` do), as that takes longer than a slice.
        """
        return paced(self._refresh(x, ids, loaded))

    def _refresh(
        self,
        x: Tensor | np.ndarray,
        ids: Sequence[Hashable] | Tensor | np.ndarray | None,
        loops_for: Callable[[int], Loops],
    ) -> Steps[Embedding]:
        data, _ = centred(x, self._dims, self._device)
        check_count(data.shape[0], MOST[self._dims])
        names = checked_ids(ids, data.shape[0])
        last = self._kept
        if len(names) < FEWEST:
            result = _few(data, self._dims)
            shown = _aligned(result.positions, names, last)
            self._kept = _Kept(names, shown, None, None, None, 0)
            return replace(result, positions=shown)
        reduced, basis = data, None
        if data.shape[1] > REDUCED_TO:
            rank = min(REDUCED_TO, *data.shape)
            basis = yield from follow_basis(data, rank, last.basis if last else None, self._generator)
            reduced = data @ basis
        used, note = fitting_perplexity(self._perplexity, len(names))
        graph, near, recall = yield from _affinities(reduced, used)
        descent, schedule, refreshes = self._start(reduced, near[:, :_COMPARED], names, last)
        forces = forces_for(graph, self._dims, spacing=LIVE_SPACING, loops=loops_for(len(names)))
        yield from descent.run(forces, schedule)
        kl = yield from forces.kl_divergence(descent.positions)
        shown = _aligned(descent.positions.cpu(), names, last)
        self._kept = _Kept(names, shown, descent, near[:, :_COMPARED], basis, refreshes)
        return replace(_described(descent.positions, kl, used, schedule, note, recall), positions=shown)

    def _start(
        self, x: Tensor, near: Tensor, names: tuple[Hashable, ...], last: _Kept | None
    ) -> tuple[Descent, tuple[Phase, ...], int]:
        """The layout to go on from, how, and how many refreshes ago it was last re-formed."""
        rows = _rows_of(names, last).to(x.device) if last else None
        if last is None or last.raw is None or last.nearest is None or rows is None or int((rows >= 0).sum()) < FEWEST:
            start = spread(principal_scores(x, self._dims)[0], _START_SPREAD, self._generator)
            return Descent(start.float()), scratch(len(names)), 0
        known, old = rows >= 0, rows.clamp(min=0)
        positions = last.raw.positions.to(x.device)[old]
        if not bool(known.all()):
            positions = place_new(positions, known, x)
        if self._stability == "stable" and last.refreshes + 1 < _RESTART_EVERY:
            # neighbours of now, told as rows of the last map
            before = last.nearest.to(x.device)[old]
            if overlap(rows[near][known], before[known]) >= _STALE_BELOW:
                velocity = torch.where(known[:, None], last.raw.velocity.to(x.device)[old], 0.0)
                gains = torch.where(known[:, None], last.raw.gains.to(x.device)[old], 1.0)
                return Descent(positions, velocity=velocity, gains=gains), WARM, last.refreshes + 1
        return Descent(spread(positions, RESTART_SPREAD, self._generator)), restart(len(names)), 0


def _affinities(x: Tensor, perplexity: float) -> Steps[tuple[Graph, Tensor, float]]:
    """P, the neighbours (n, k), nearest first, of float64 `x`, and their recall."""
    found = yield from nearest(x, min(x.shape[0] - 1, math.ceil(3 * perplexity)))
    conditionals = yield from conditional(found.distances, perplexity)
    graph = yield from joint_graph(found.indices, conditionals)
    return graph, found.indices, found.recall


def _described(
    positions: Tensor, kl: Tensor, perplexity: float, schedule: tuple[Phase, ...], note: str, recall: float
) -> Embedding:
    iterations = sum(phase.iterations for phase in schedule)
    approximate = f"neighbours approximate, {100 * recall:.1f} % of them right" if recall < 1 else ""
    notes = tuple(text for text in (note, approximate) if text)
    return Embedding(positions.cpu(), float(kl), "tsne", perplexity, iterations, notes, recall=recall)


def _few(x: Tensor, dims: int) -> Embedding:
    """The PCA of too few samples for a t-SNE, with a note."""
    scores, share = principal_scores(x, dims)
    note = f"PCA: t-SNE needs at least {FEWEST} samples, got {x.shape[0]}"
    return Embedding(scores.float().cpu(), math.nan, "pca", notes=(note,), explained=share)


def _rows_of(names: tuple[Hashable, ...], last: _Kept) -> Tensor:
    """For each name its row in the last map, -1 where it is new: (n,) int64."""
    row_of = {name: row for row, name in enumerate(last.ids)}
    return torch.tensor([row_of.get(name, -1) for name in names], dtype=torch.int64, device="cpu")


def _aligned(positions: Tensor, names: tuple[Hashable, ...], last: _Kept | None) -> Tensor:
    """`positions` (n, dims) on the CPU, turned and moved until the points known from the last map lie nearest to it."""
    if last is None:
        return positions
    rows = _rows_of(names, last)
    known = rows >= 0
    if int(known.sum()) < 2:
        return positions
    rotation, centre, fixed_centre = aligning(positions[known], last.shown[rows[known]])
    return ((positions.double() - centre) @ rotation + fixed_centre).float()
