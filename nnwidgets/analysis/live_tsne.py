"""A t-SNE that follows training: each map starts from the last one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from nnwidgets.analysis.embedding import (
    FEWEST,
    MOST,
    REDUCED_TO,
    START_SPREAD,
    Embedding,
    descended,
    few,
    neighbours_for,
)
from nnwidgets.analysis.engine.affinities import graph_of
from nnwidgets.analysis.engine.compiled import Loops, loaded, worth_loading
from nnwidgets.analysis.engine.inputs import (
    centred,
    check_count,
    check_dims,
    checked_device,
    checked_ids,
    checked_perplexity,
    checked_seed,
    fitting_perplexity,
    rows_of,
)
from nnwidgets.analysis.engine.layout import RESTART_SPREAD, aligning, overlap, place_new, spread
from nnwidgets.analysis.engine.neighbours import nearest
from nnwidgets.analysis.engine.principal import follow_basis, principal_scores
from nnwidgets.analysis.engine.slicing import Steps, finished, sliced
from nnwidgets.analysis.engine.tsne_forces import LIVE_SPACING, forces_for
from nnwidgets.analysis.engine.tsne_optimizer import WARM, Descent, Phase, first, restart

__all__ = ["LiveTSNE"]

_COMPARED = 10  # neighbours of each row that are compared between updates
_STALE_BELOW = 0.85
_RESTART_EVERY = 5


@dataclass(frozen=True)
class _Kept:
    """What one update leaves for the next. Replaced as a whole, so a failed or dropped update leaves no trace."""

    ids: tuple[Hashable, ...]
    shown: Tensor
    raw: Descent | None
    nearest: Tensor | None
    basis: Tensor | None
    refreshes: int


class LiveTSNE:
    """A t-SNE map that follows training: points keep their identity, place and orientation from update to update.

    stability="faithful": each update shrinks the last map to a standard deviation of 0.01 and lets it form again in at
    most 150 iterations. Its KL divergence is usually within 5 % of that of a map from scratch. "stable": do so only at
    every fifth update, or when fewer than 85 % of the 10 nearest neighbours stayed; take 25 plain iterations otherwise.
    Points then move less, and the KL divergence is usually within 6 %, at worst 20 %. Where all rows kept their 10
    nearest neighbours, as in a frozen layer, both take 25 plain iterations: the map stays where it is and improves.
    Layers wider than 50 features are reduced by a PCA whose basis follows the layer. Not thread-safe.
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
        if not isinstance(stability, str) or stability not in ("faithful", "stable"):
            raise ValueError(f"stability: expected 'faithful' or 'stable', got {stability!r}")
        self._dims, self._stability, self._device = dims, stability, checked_device(device)
        self._perplexity, self._generator = checked_perplexity(perplexity), checked_seed(seed)
        self._kept: _Kept | None = None

    def update(
        self, x: Tensor | np.ndarray, *, ids: Sequence[Hashable] | Tensor | np.ndarray | None = None
    ) -> Embedding:
        """The map of `x` (n, features) or of a layer's activation (n, …), aligned to the last map, row by row.

        `ids` name the rows, so that they stay the same points when rows are reordered, dropped or added; None: their
        numbers. Raises ValueError and TypeError as `tsne` does, and unless `ids` has one distinct, hashable name per
        row; the next update then starts from the last map. A lowered perplexity is noted in `.notes`, without a
        warning, as this runs in a worker.
        """
        return finished(self._refresh(x, ids, worth_loading))

    def updates(
        self, x: Tensor | np.ndarray, *, ids: Sequence[Hashable] | Tensor | np.ndarray | None = None
    ) -> Iterator[Embedding | None]:
        """Do the same in slices of at most 50 ms. Yields None after each slice, and the map at the end.

        Dropping the iterator early leaves the last map as it was. Compiled loops are used only if this process has
        loaded them before, as `tsne` and `update` do: loading takes longer than a slice.
        """
        return sliced(self._refresh(x, ids, loaded))

    def _refresh(
        self,
        x: Tensor | np.ndarray,
        ids: Sequence[Hashable] | Tensor | np.ndarray | None,
        loops_for: Callable[[int], Loops],
    ) -> Steps[Embedding]:
        rows, notes = rows_of(x)
        data, scale = centred(rows, self._dims, self._device)
        check_count(data.shape[0], MOST[self._dims])
        names = checked_ids(ids, data.shape[0])
        last = self._kept
        if len(names) < FEWEST:
            result = few(data, self._dims, notes)
            shown = _aligned(result.positions, names, last)
            self._kept = _Kept(names, shown, None, None, None, 0)
            return replace(result, positions=shown)
        reduced, basis = data, None
        if data.shape[1] > REDUCED_TO:
            rank = min(REDUCED_TO, *data.shape)
            basis = yield from follow_basis(data, rank, last.basis if last else None, self._generator)
            reduced = data @ basis
        used, lowered = fitting_perplexity(self._perplexity, len(names))
        loops = loops_for(len(names))
        found = yield from nearest(reduced, neighbours_for(len(names), used), loops=loops)
        graph = yield from graph_of(found.indices, found.distances, used, loops=loops)
        near = found.indices[:, :_COMPARED]
        descent, schedule, refreshes = self._start(reduced, near, names, last)
        forces = forces_for(graph, self._dims, spacing=LIVE_SPACING, loops=loops)
        map_ = yield from descended(descent, forces, schedule, found, scale, used, (*notes, lowered))
        shown = _aligned(map_.positions, names, last)
        self._kept = _Kept(names, shown, descent, near, basis, refreshes)
        return replace(map_, positions=shown)

    def _start(
        self, x: Tensor, near: Tensor, names: tuple[Hashable, ...], last: _Kept | None
    ) -> tuple[Descent, tuple[Phase, ...], int]:
        """The layout to start from, the schedule, and how many updates ago the layout last formed again."""
        rows = _rows_of(names, last).to(x.device) if last else None
        if last is None or last.raw is None or last.nearest is None or rows is None or int((rows >= 0).sum()) < FEWEST:
            start = spread(principal_scores(x, self._dims)[0], START_SPREAD, self._generator)
            return Descent(start.float()), first(len(names)), 0
        known, old = rows >= 0, rows.clamp(min=0)
        positions = last.raw.positions.to(x.device)[old]
        if not bool(known.all()):
            positions = place_new(positions, known, x)
        # the present neighbours, as rows of the last map
        stayed = overlap(rows[near][known], last.nearest.to(x.device)[old][known])
        # Do not let the map of a frozen layer form again: it takes time, moves points and raises the KL by 3 to 10 %.
        at_rest = stayed == 1.0 and bool(known.all())
        settled = self._stability == "stable" and last.refreshes + 1 < _RESTART_EVERY and stayed >= _STALE_BELOW
        if at_rest or settled:
            velocity = torch.where(known[:, None], last.raw.velocity.to(x.device)[old], 0.0)
            gains = torch.where(known[:, None], last.raw.gains.to(x.device)[old], 1.0)
            return Descent(positions, velocity=velocity, gains=gains), WARM, last.refreshes + 1
        return Descent(spread(positions, RESTART_SPREAD, self._generator)), restart(len(names)), 0


def _rows_of(names: tuple[Hashable, ...], last: _Kept) -> Tensor:
    """The row of each name in the last map, -1 for new ones: (n,) int64."""
    row_of = {name: row for row, name in enumerate(last.ids)}
    return torch.tensor([row_of.get(name, -1) for name in names], dtype=torch.int64, device="cpu")


def _aligned(positions: Tensor, names: tuple[Hashable, ...], last: _Kept | None) -> Tensor:
    """`positions` (n, dims) on the CPU, rotated and shifted to bring known points nearest to their last place."""
    if last is None:
        return positions
    rows = _rows_of(names, last)
    known = rows >= 0
    if int(known.sum()) < 2:
        return positions
    rotation, centre, fixed_centre = aligning(positions[known], last.shown[rows[known]])
    return ((positions.double() - centre) @ rotation + fixed_centre).float()
