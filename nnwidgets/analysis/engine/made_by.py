"""Which operation gave a tensor its values. Sees one forward pass, in the calling thread only."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nnwidgets.shadow.torch_internals import ThreadDispatchMode, leaves

_COPIES = {"_unsafe_view", "clone", "_to_copy"}  # hand on what another operation made


class MadeBy(ThreadDispatchMode):
    """Within, takes down what writes each tensor; names are those of ATen.

    >>> with MadeBy() as made:
    ...     p = torch.zeros(2, 1).sigmoid()[:, 0].clone()
    >>> made.name_of(p)
    'sigmoid'
    """

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[int, str] = {}  # by storage: that of a tensor which is there at the end is its own

    def __enter__(self) -> MadeBy:
        super().__enter__()
        return self

    def handle(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        found = func(*args, **kwargs)
        if not func.is_view:
            name = func.overloadpacket.__name__
            written = self.name_of(args[0]) if name in _COPIES else name
            for each in leaves(found):
                if _has_storage(each):
                    self._names[each.untyped_storage().data_ptr()] = written
        return found

    def name_of(self, value: Tensor) -> str:
        """The operation that wrote this tensor last, "" where none was seen."""
        return self._names.get(value.untyped_storage().data_ptr(), "") if _has_storage(value) else ""


def _has_storage(value: Any) -> bool:
    return isinstance(value, Tensor) and value.layout is torch.strided and not value.is_nested
