"""How targets are read: as classes, as an answer for each of several labels, or as numbers that are no labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

TargetKind: TypeAlias = Literal["classes", "yes or no", "labels", "numbers"]
Target: TypeAlias = int | Tensor | None


@dataclass
class Labels:
    """The labels of samples and their names.

    known: (n,) int64 labels of all samples, where they can be had without reading samples.   names: of the classes.
    kind: "classes", whole numbers;   "yes or no", the same, also as floats of 0 and 1;   "labels", zeros and ones for
    each of several labels;   "numbers", which are no labels.
    """

    known: np.ndarray | None
    names: tuple[str, ...] | None
    kind: TargetKind = "classes"

    def of(self, target: Target) -> int | None:
        """The class that a target is, None where it is none.

        >>> Labels(None, None).of(torch.tensor(1.0)), Labels(None, None, "yes or no").of(torch.tensor([1.0]))
        (None, 1)
        """
        if self.kind == "yes or no" and isinstance(target, Tensor):
            return int(target) if float(target) in (0.0, 1.0) else None
        return target if self.kind in ("classes", "yes or no") and isinstance(target, int) else None

    def known_of(self, index: int) -> int | None:
        """The class of a sample that was not read, where it is known."""
        return None if self.known is None or self.kind in ("labels", "numbers") else int(self.known[index])

    def name_of(self, target: Target) -> str:
        """The name of the class that a target is, or of the labels that it has; "" where it is neither.

        >>> Labels(None, ("cat", "dog", "fox"), "labels").name_of(torch.tensor([1, 0, 1]))
        'cat, fox'
        """
        if self.kind == "labels" and isinstance(target, Tensor):
            return ", ".join(map(self.name, target.reshape(-1).nonzero().flatten().tolist())) or "none"
        label = self.of(target)
        return "" if label is None else self.name(label)

    def name(self, label: int) -> str:
        """The name of a class; its number if it has no name."""
        return self.names[label] if self.names and 0 <= label < len(self.names) else str(label)

    def end(self, targets: Sequence[Target]) -> int | None:
        """One more than the largest label of all samples, else of these; None where there is none."""
        whole = [each for each in targets if isinstance(each, int)] if self.known is None else [int(self.known.max())]
        most = max(whole, default=-1)
        return most + 1 if most >= 0 else None


def stacked_targets(targets: Sequence[Target], device: torch.device) -> Tensor | None:
    """Classes as int64 (n,), other targets of equal shape as (n, …); None if a sample has none."""
    if all(isinstance(each, int) for each in targets):
        return torch.tensor(targets, dtype=torch.int64, device=device)
    tensors = [each for each in targets if isinstance(each, Tensor)]
    alike = len(tensors) == len(targets) and len({(each.shape, each.dtype) for each in tensors}) == 1
    return torch.stack(tensors).to(device) if alike else None
