"""Sentences about an occlusion map: which scores are a preview, and which are not finite."""

from __future__ import annotations

from torch import Tensor

from nnwidgets.analysis.engine.occlusion_problem import Problem

__all__ = ["not_finite", "preview_notes"]


def preview_notes(previewed: Tensor, off_by: float) -> tuple[str, ...]:
    """Return a sentence if some positions are a preview; none otherwise.

    Args:
        previewed: `(batch, *grid)` bool.
        off_by: largest error seen, as a share of the largest change.

    >>> preview_notes(Tensor([[1, 0]]).bool(), 0.0123)
    ('preview at 1 of 2 positions: bfloat16, off by 1.2 % of the largest change where it was checked',)
    """
    if not bool(previewed.any()):
        return ()
    return (
        f"preview at {int(previewed.sum())} of {previewed.numel()} positions: bfloat16, "
        f"off by {100 * off_by:.1f} % of the largest change where it was checked",
    )


def not_finite(problem: Problem, scores: Tensor, computed: Tensor, clean: Tensor) -> tuple[str, ...]:
    """Return sentences about scores that are NaN, then about infinite ones; none if all are finite.

    Args:
        problem: that the scores belong to.
        scores: `(batch, 1 + positions, classes)`; the first is without a patch.
        computed: `(batch, *grid)` bool, the positions to look at.
        clean: `(batch,)` bool, the images to look at without a patch.
    """
    notes = []
    word = "square" if problem.axes == ("row", "col") else "patch"
    positions = computed.flatten(1)
    for name, spoilt in (("NaN", scores.isnan().any(-1)), ("infinite", scores.isinf().any(-1))):
        without = (spoilt[:, 0] & clean).nonzero().flatten().tolist()
        if without:
            notes.append(f"{name} scores without a {word}{_of_image(problem, without[0])}")
        found = (spoilt[:, 1:] & positions).reshape(computed.shape).nonzero()
        if len(found):
            image, *place = found[0].tolist()
            along = zip(problem.axes, problem.origins, place, strict=True)
            where = ", ".join(f"{axis} {origins[index]}" for axis, origins, index in along)
            notes.append(
                f"{name} scores at {len(found)} of {int(positions.sum())} positions, "
                f"first with the {word} at {where}{_of_image(problem, image)}"
            )
    return tuple(notes)


def _of_image(problem: Problem, image: int) -> str:
    return f" of image {image}" if len(problem.images) > 1 else ""
