"""Graphs and lists of pictures are refused with what to give, and that works."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

import nnwidgets as nnw
from tests.waiting import inspecting, shown

GENERATOR = torch.Generator().manual_seed(2)
PLANES = torch.rand(12, 8, 8, generator=GENERATOR)


def scores_of(inspector: nnw.Inspector, samples: range) -> Tensor:
    session = inspector._session
    found = session.run(session.samples.batch(samples))
    assert isinstance(found, Tensor)
    return found


class Graph:
    """As PyTorch Geometric has them."""

    def __init__(self) -> None:
        self.x = torch.rand(9, 6, generator=GENERATOR)
        self.edge_index = torch.tensor([range(9), [*range(1, 9), 0]])


class Convolves(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        summed: Tensor = self.layer(x).index_add(0, edge_index[1], self.layer(x)[edge_index[0]])
        return summed


class AtNodes(nn.Module):
    def __init__(self, net: nn.Module, graph: Graph) -> None:
        super().__init__()
        self.net, self.x, self.edge_index = net, graph.x, graph.edge_index

    def forward(self, nodes: Tensor) -> Tensor:
        found: Tensor = self.net(self.x, self.edge_index)[nodes]
        return found


def test_a_graph_is_refused_with_what_to_give_and_that_works() -> None:
    graph, net, labels = Graph(), Convolves(), torch.arange(9) % 3
    with pytest.raises(TypeError, match=r"Of a graph, nodes can be samples: .* net\(x, edge_index\)\[nodes\]"):
        nnw.Inspector(net, [graph], probe=1)
    with inspecting(AtNodes(net, graph), (torch.arange(9), labels), probe=range(9)) as inspector, torch.no_grad():
        expected = net(graph.x, graph.edge_index)
        torch.testing.assert_close(scores_of(inspector, range(9)), expected)
        share = float((expected.argmax(1) == labels).double().mean())
        assert inspector._session.record.latest.correct == pytest.approx(share)  # type: ignore[union-attr]


class Detects(nn.Module):
    """Takes a list of pictures and gives a list of what is in them."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.head = nn.Conv2d(1, 2, 3), nn.Linear(2, 4)

    def forward(self, images: list[Tensor], targets: Any = None) -> list[dict[str, Tensor]]:
        if not isinstance(images, list):
            raise TypeError("images: expected a list")
        return [{"boxes": self.head(self.conv(image).mean((1, 2)))[None]} for image in images]


class FromBatch(nn.Module):
    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> Any:
        return self.detector(list(images))


def test_lists_of_pictures_are_refused_with_what_to_give_and_that_works() -> None:
    rows = [(plane[None], {"boxes": torch.zeros(2, 4)}) for plane in PLANES]
    loader: Any = DataLoader(rows, batch_size=2, collate_fn=lambda batch: tuple(zip(*batch, strict=True)))  # type: ignore[arg-type]
    detector = Detects()
    with pytest.raises(RuntimeError, match=r"needs a module that is given one tensor and calls yours with list\("):
        nnw.Inspector(detector, loader, probe=4)
    with inspecting(FromBatch(detector), loader, probe=4, unpack=lambda row: ((row[0],), {}, None)) as inspector:
        view = inspector.activations(layer="detector.conv", sample=3)
        with torch.no_grad():
            torch.testing.assert_close(shown(view).values, detector.conv(PLANES[3:4, None])[0])
        assert inspector._session.task.classes is None
