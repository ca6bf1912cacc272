"""Whether somebody traces a model just now, in whatever thread. Only reads.

While torch.fx traces (and torch.export and make_fx, which use it), `nn.Module.__call__` is patched for the whole
process: modules of ours that run meanwhile would be taken for the user's.
"""

from __future__ import annotations

import traceback

from torch import nn

_TRACER = "torch.fx._symbolic_trace"  # not all of torch.fx: a GraphModule may fail by itself


def tracing() -> bool:
    """Whether a trace is going on."""
    return getattr(nn.Module.__call__, "__globals__", {}).get("__name__") == _TRACER


def came_of_tracing(error: BaseException) -> bool:
    """Whether the error was raised in a tracer, into whose trace a module of ours had run."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == _TRACER for frame, _ in frames)
