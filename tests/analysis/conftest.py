"""What tests of analyses share."""

import pytest

from nnwidgets.analysis.engine.compiled import Loops, compiled


@pytest.fixture(params=["loops", "torch"])
def loops(request: pytest.FixtureRequest) -> Loops:
    """Compiled loops, and what takes their place where numba isn't installed."""
    if request.param == "torch":
        return None
    pytest.importorskip("numba")
    return compiled()
