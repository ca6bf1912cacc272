"""Choose samples that represent the dataset: seeded, without global random draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def choose(length: int, wanted: int | Sequence[int], labels: np.ndarray | None, seed: int) -> list[int]:
    """At most `wanted` indices below `length`, ascending. A sequence of indices is returned without repeats.

    With `labels` (length,) classes take turns, so that rare ones are included; without, indices are evenly spaced from
    a seeded start. Raises ValueError if nothing is wanted.

    >>> choose(6, 4, np.array([0, 0, 0, 0, 0, 1]), 0)[-1]
    5
    """
    if not isinstance(wanted, (int, np.integer)):
        given = list(dict.fromkeys(int(index) for index in wanted))
        if not given:
            raise ValueError("probe: expected at least one index, got none")
        return given
    if wanted < 1:
        raise ValueError(f"probe: expected at least one sample, got {wanted}")
    generator = np.random.default_rng(seed)
    if wanted >= length:
        return list(range(length))
    if labels is None:
        step = length / wanted
        first = generator.random() * step
        return [min(length - 1, int(first + step * turn)) for turn in range(int(wanted))]
    order = generator.permutation(length)
    shuffled = labels[order]
    by_class = np.argsort(shuffled, kind="stable")
    _, starts, counts = np.unique(shuffled[by_class], return_index=True, return_counts=True)
    # the rank of each sample within its class: the first of every class come before the second of any
    turns = np.arange(length) - np.repeat(starts, counts)
    # break ties (in the last round) at random, so that low class numbers are not preferred
    picked = order[by_class][np.lexsort((generator.random(length), turns))[:wanted]]
    return sorted(int(index) for index in picked)
