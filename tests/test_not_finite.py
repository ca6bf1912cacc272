"""NaN in data or weights is counted, drawn and explained, and training goes on bit for bit."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tests.nets import NETS, Training
from tests.views.every import make_all
from tests.views.reading import caption_of
from tests.waiting import answered, command, frame, inspecting, shown

X, Y = NETS["cnn"].inputs[:40], NETS["cnn"].labels[:40]


def cnn() -> nn.Module:
    torch.manual_seed(0)
    return NETS["cnn"].build()


def test_nan_in_the_inputs_is_counted_and_explained() -> None:
    data = X.clone()
    data[3] = torch.nan
    with inspecting(cnn(), (data, Y), probe=list(range(20))) as inspector:
        inspector.selection.sample = 3
        views = make_all(inspector)
        activations, filters = views["activations"], views["filters"]
        embedding, occlusion = answered(views["embedding"]), answered(views["occlusion"])
        shown(activations)
        assert "144 values not finite" in caption_of(activations)
        shown(filters)
        assert "not finite" not in caption_of(filters)
        assert embedding.failure is not None
        assert embedding.failure[0].startswith(
            "ValueError: activations of 1: expected finite values, got NaN or infinity for 1 of 20 samples; lower"
        ), embedding.failure
        assert occlusion.failure is not None
        assert "finite" in occlusion.failure[0]
        for view in views.values():
            frame(view)
        assert command(activations, "select", {"sample": 4}) is None
        assert bool(shown(activations).values.isfinite().all())
        shown(occlusion)


def diverge(training: Training, watch: Any, steps: int) -> None:
    for _ in range(steps):
        training.step()
        if training.steps == 20:
            with torch.no_grad():
                next(training.model.parameters())[0] = torch.nan
        if watch is not None:
            watch.poll()


def test_a_net_that_turns_to_nan_is_shown_as_such_and_trains_on_bit_for_bit() -> None:
    seen = Training(NETS["cnn"])
    with inspecting(seen.model, (seen.net.inputs, seen.net.labels), probe=16) as inspector:
        views = make_all(inspector)
        for view in views.values():
            answered(view)
        with inspector.watch(seen.optimizer, budget=1.0) as watch:
            diverge(seen, watch, 60)
        for view in views.values():
            view.refresh()
        inspector._session.worker.request(inspector._session.probe)
        for view in views.values():
            answered(view)
        for name in ("activations", "filters"):
            shown(views[name])
            assert "not finite" in caption_of(views[name])
        for name in ("embedding", "occlusion"):
            failure = views[name].failure
            assert failure is not None
            assert "expected finite values" in failure[0]
            assert failure[1] == 60
            assert frame(views[name])[0]["state"]["kind"] == "failed"
        for view in views.values():
            frame(view)
            if view.result is not None:
                view.figure()
        assert inspector._session.probe.error == ""
    plain = Training(NETS["cnn"])
    diverge(plain, None, 60)
    assert plain.everything() == seen.everything()
