"""Whether any thread is tracing a model now.

While torch.fx traces (and torch.export and make_fx, which use it), it patches `nn.Module.__call__` for the whole
process. Modules of ours that ran meanwhile would end up in the user's trace.
"""

from __future__ import annotations

import traceback

from torch import nn

_TRACER = "torch.fx._symbolic_trace"  # not all of torch.fx: a GraphModule may fail by itself


def tracing() -> bool:
    """Whether a trace is going on."""
    return getattr(nn.Module.__call__, "__globals__", {}).get("__name__") == _TRACER


def came_of_tracing(error: BaseException) -> bool:
    """Whether a tracer raised this error, because a module of ours had run into its trace."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == _TRACER for frame, _ in frames)
