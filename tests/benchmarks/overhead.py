"""How much slower a training step is under each way to watch it, side by side in one run.

Every way has its own copy of the same net and trains it in blocks of a few seconds, in turn, the order shifted by one
in each round. The ratio is that of the mean step times of all rounds together, beside the quartiles of the rounds'
own. The mean counts: a refresh is rare and dear, so a median of steps would not see it. CPU is the time of the whole
process, our threads included, per step. How often ours refresh is counted afterwards, in one long block. The views
are on screen, and have shown the untrained model, before the training begins. One way is to do nothing a second time:
what it differs from 1 by is the noise.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import fmean as mean
from typing import Any

import torch

from tests.benchmarks.peers import PEERS, Control, Nothing, OurDashboard, OurViews, Peer
from tests.benchmarks.report import Result, Table, median, percentile, quartiles
from tests.benchmarks.workloads import WORKLOADS, Training, Workload

ROUNDS = 5
BLOCK_S = 3.0
WATCHED_S = 30.0  # in one go: in blocks of a few seconds a dear refresh is never paid for
PEER_BLOCK_S = 1.0  # theirs are far from 1, and need less
WARM_UP_S = 0.5
SETTLE_S = 0.2  # a frame that was begun is sent in this time
OURS = (OurDashboard, OurViews)
MANY_STEPS = 1000  # with fewer, a p99.9 is the largest


@dataclass
class Measured:
    """All blocks of one way: step times and CPU time in seconds, and per round the mean wall seconds of a step."""

    steps: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    wall: list[float] = field(default_factory=list)
    gained: dict[str, float] = field(default_factory=dict)

    def figures(self, plain: Measured) -> dict[str, Any]:
        walls = [mine / theirs for mine, theirs in zip(self.wall, plain.wall, strict=True)]
        return {
            "wall_ratio": mean(self.steps) / mean(plain.steps),
            "wall_ratios": walls,
            "cpu_ratio": (self.cpu_s / len(self.steps)) / (plain.cpu_s / len(plain.steps)),
            "median_step_ms": 1e3 * median(self.steps),
            "p99_9_step_ms": 1e3 * percentile(self.steps, 99.9),
            "steps": len(self.steps),
        }

    def books(self) -> dict[str, Any]:
        """What the watch tells: refreshes per second of training, and what they cost."""
        books = dict(self.gained)
        training_s, spent_s = books.pop("training_s"), books.pop("spent_s")
        return {
            "refreshes_per_s": {name: count / training_s for name, count in books.items()},
            "told_overhead": spent_s / training_s,
        }


def train(peer: Peer, seconds: float) -> Iterator[float]:
    """Seconds of each step, for about this long and whole periods."""
    begin = time.perf_counter()
    until, steps = begin + seconds, 0
    while begin < until or steps % peer.period:
        peer.training.step()
        peer.after_step()
        end = time.perf_counter()
        yield end - begin
        steps += 1
        begin = end


def block(peer: Peer, seconds: float, into: Measured) -> None:
    peer.wake()
    before, cpu = peer.counts(), time.process_time()
    steps = list(train(peer, seconds))
    peer.rest()  # ends the chunk that is running, which this block has to pay
    cpu = time.process_time() - cpu
    time.sleep(SETTLE_S)
    for name, count in peer.counts().items():
        into.gained[name] = into.gained.get(name, 0.0) + count - before[name]
    into.steps += steps
    into.cpu_s += cpu
    into.wall.append(mean(steps))


def warm_up(peer: Peer) -> None:
    list(train(peer, WARM_UP_S))
    peer.rest()
    time.sleep(SETTLE_S)


def probe_forward_ms(training: Training) -> float:
    """Milliseconds of a forward pass over 64 samples: what one refresh of the statistics has to pay at least."""
    times = []
    with torch.no_grad():
        for _ in range(5):
            begin = time.perf_counter()
            training.model(training.inputs[:64])
            times.append(time.perf_counter() - begin)
    return 1e3 * median(times)


def measure_one(workload: Workload, *, rounds: int, shorter: float) -> dict[str, Any]:
    """Figures of every way on one net; `shorter` divides the length of the blocks."""
    probe_ms = probe_forward_ms(Training(workload))
    peers = [make(Training(workload)) for make in PEERS]
    measured = {peer.name: Measured() for peer in peers}
    for peer in peers:
        warm_up(peer)
    for turn in range(rounds):
        at = turn % len(peers)
        for peer in [*peers[at:], *peers[:at]]:
            seconds = BLOCK_S if isinstance(peer, (Nothing, Control, *OURS)) else PEER_BLOCK_S
            block(peer, seconds / shorter, measured[peer.name])
    plain = measured[Nothing.name]
    ways = {name: each.figures(plain) for name, each in measured.items()}
    for peer in peers:
        if isinstance(peer, OURS):
            alone = Measured()
            block(peer, WATCHED_S / shorter, alone)
            ways[peer.name] |= alone.books()
    for peer in peers:
        peer.close()
    return {"probe_forward_ms": probe_ms, "ways": ways}


def run(*, quick: bool) -> Result:
    """About twelve minutes; `quick` takes the CNN and the transformer, two short rounds each."""
    workloads = [WORKLOADS[0], WORKLOADS[3]] if quick else WORKLOADS
    figures = {
        workload.name: measure_one(workload, rounds=2 if quick else ROUNDS, shorter=3.0 if quick else 1.0)
        for workload in workloads
    }
    return Result(figures, [_ratios(figures), _step_times(figures), _refreshes(figures)])


def _ratios(figures: dict[str, Any]) -> Table:
    rows = []
    for make in PEERS[1:]:
        cells = []
        for net in figures.values():
            way = net["ways"][make.name]
            low, high = quartiles(way["wall_ratios"])
            cells.append(f"{way['wall_ratio']:.3f} ({low:.3f}–{high:.3f}) / {way['cpu_ratio']:.3f}")
        rows.append([make.name, *cells])
    note = (
        "Step time as a multiple of that of the same training without: wall (quartiles of the interleaved rounds) / "
        "CPU time of the whole process."
    )
    return Table("Cost of watching", ["", *figures], rows, note)


def _step_times(figures: dict[str, Any]) -> Table:
    rows = []
    for make in PEERS:
        cells = []
        for net in figures.values():
            way = net["ways"][make.name]
            few = "" if way["steps"] >= MANY_STEPS else " (max)"
            cells.append(f"{way['median_step_ms']:.2f} / {way['p99_9_step_ms']:.1f}{few}")
        rows.append([make.name, *cells])
    note = f"Milliseconds, median / p99.9; below {MANY_STEPS} steps the largest instead, marked (max)."
    return Table("Step times", ["", *figures], rows, note)


def _refreshes(figures: dict[str, Any]) -> Table:
    rows = []
    for name, net in figures.items():
        for make in OURS:
            way = net["ways"][make.name]
            rates = ", ".join(f"{view} {rate:.2f}" for view, rate in way["refreshes_per_s"].items())
            rows.append([name, f"{net['probe_forward_ms']:.1f}", make.name, rates, f"{way['told_overhead']:.1%}"])
    header = [
        "net",
        "probe forward (ms)",
        "on screen",
        "refreshes per second of training",
        "overhead as the watch tells",
    ]
    return Table("Refreshes at the default budget of 5 %", header, rows)
