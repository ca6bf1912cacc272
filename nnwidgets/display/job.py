"""The worker's side of a view: computes from snapshots, keeps results, lays them out and packs them."""

from __future__ import annotations

import inspect
import time
from collections.abc import Generator, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from nnwidgets.blocks.block import Block
from nnwidgets.data.samples import NotHeldError
from nnwidgets.display.kept import KeptResults, Shown, when
from nnwidgets.display.packing import PackedBlock, Packer, rows_of
from nnwidgets.display.wire import Header
from nnwidgets.measures.measure import Measure, Progress
from nnwidgets.session import MEMORY_SHARES
from nnwidgets.training.extras import Extra
from nnwidgets.training.worker import Job, Snapshot

if TYPE_CHECKING:
    from nnwidgets.display.view import View


class Strong(str):
    """A part of a caption that is odd and stands out."""


class Heading(NamedTuple):
    """What a picture is of. `code` sets the title in the code font."""

    title: str
    code: bool = False
    subtitle: str = ""


def as_heading(given: Any) -> Heading:
    """What a view says it is of; a title alone will do. Raises TypeError for anything else."""
    if isinstance(given, str):
        return Heading(given)
    if not isinstance(given, Heading):
        raise TypeError(f"heading: expected a Heading or a title, got {type(given).__name__}")
    return given


@dataclass(frozen=True)
class LaidOut:
    """A result as the page and figures show it; `kept` is what the page's slider says."""

    shown: Shown
    heading: Heading
    caption: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Block, ...], ...]
    packed: tuple[PackedBlock, ...]
    kept: Header | None

    @property
    def words(self) -> str:
        """Heading and caption in one line."""
        title = f"Layer {self.heading.title}" if self.heading.code else self.heading.title
        subject = ", ".join(part for part in (title, self.heading.subtitle) if part)
        return " · ".join([subject, *(text for text, _ in self.caption)])


class ViewJob(Job):
    """Has a view computed again and again.

    Attributes:
        kept: results over the training.
        laid: the result on show, laid out; None before the first.
        running: how far the computation under way is, with words; None while there is none.
        finished_at: when the last result came, in seconds of the monotonic clock.
        behind: whether the record has grown while nobody looked.
        states: what the page said of its own state, by block.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self.name, self.slow = view.name, view.slow
        self.kept = KeptResults(self._most_bytes)
        self.laid: LaidOut | None = None
        self.running: tuple[float | None, str] | None = None
        self.finished_at: float | None = None
        self.behind = False
        self.states: dict[str, dict[str, Any]] = {}
        self._packer = Packer()
        self._layout_failed = False
        self._measured: tuple[int | None, Sequence[Any]] | None = None

    @property
    def snapshot_extras(self) -> frozenset[Extra]:  # type: ignore[override]  # asked anew at every turn
        """What the measures of the view need beside the weights."""
        return frozenset(extra for measure in self._view.needed for extra in measure.snapshot_extras)

    def wanted(self) -> bool:
        return self._view.on_screen and not self._view.session.paused and not self._view.reader.waiting_for

    def failed(self, error: BaseException, step: int) -> None:
        self._view.fail(error, step)

    def work(self, snapshot: Snapshot) -> Iterator[None]:
        view = self._view
        if view.reader.waiting_for:
            return  # what it waits for will ask again
        about, step = view.question(), view.session.step_of(snapshot)
        if view.failure is not None and not view.measures():
            return  # it cannot say what it needs
        self.running = (0.0, "")
        try:
            values: list[Any] = []
            for measure in view.measures():
                value = yield from self._read(measure, snapshot, about)
                values.append(value)
            recorded = any(measure.recorded for measure in view.measures())
            self._measured = (step, values) if recorded and not view.slow else None
            for made in self._results(values):
                if isinstance(made, Progress):
                    self._progress(made)
                elif made is not None:
                    self._show(about, Shown(made, step))
                yield
        except NotHeldError:
            view.reader.begin()
        finally:
            told, self.running = self.running is not None and self.running[1], None
            if told or view.outdated:  # otherwise the picture has said it
                view.show_state()

    def lay_out(self) -> None:
        """Lay the result on show out anew, and have it sent."""
        view, (shown, kept) = self._view, self.kept.look()
        if shown is None or not view.joined:
            return
        try:
            rows = rows_of(view.layout(shown.result))
            said = view.caption(shown.result)
            parts = [(str(part), isinstance(part, Strong)) for part in ([said] if isinstance(said, str) else said)]
            earlier = [("an earlier step", True)] if shown is not self.kept.newest else []
            parts += [view.session.mode, (when(shown, watched=view.session.watched), False), *earlier]
            drawn, curves = view.curves.split(rows)
            packed = self._packer.pack(drawn, self.states)
            self.laid = LaidOut(shown, as_heading(view.heading(shown.result)), tuple(parts), tuple(rows), packed, kept)
            if self._layout_failed:
                self._layout_failed, view.failure = False, None
            view.show_picture()
            view.curves.show(curves)  # many messages, which the picture need not wait for
        except Exception as error:
            # Whatever a view of the user's raises is shown in that view, and training goes on.
            self._layout_failed = True
            view.fail(error, shown.step or 0)

    def recorded(self) -> None:
        """What is kept over the training has grown: the same values again, with what is known besides."""
        view, newest = self._view, self.kept.newest
        self.behind = not view.on_screen and (view.shown or not view.standalone)
        if self.behind:
            return  # scrolled away, or behind another tab: made when it is seen again
        if self._measured is None or newest is None or self.running is not None or newest.step != self._measured[0]:
            return
        step, values = self._measured
        try:
            results = [made for made in self._results(values) if not isinstance(made, Progress | None)]
        except Exception as error:
            self._view.fail(error, step or 0)
            return
        if results:
            self.kept.add(self.kept.about, Shown(results[-1], step))
        self.lay_out()

    def _read(self, measure: Measure, snapshot: Snapshot, about: Hashable) -> Generator[None, None, Any]:
        reading = self._view.session.measures.read(measure, snapshot)
        # A result about the same is held until the next one is ready; only a first one says how far it is.
        first = self.kept.newest is None or about != self.kept.about
        while True:
            try:
                progress = next(reading)
            except StopIteration as end:
                return end.value
            if progress is not None and first:
                self._progress(progress)
            yield

    def _results(self, values: Sequence[Any]) -> Iterator[Any]:
        made = self._view.compute(*values)
        if inspect.isgenerator(made):
            yield from made
        else:
            yield made

    def _progress(self, progress: Progress) -> None:
        self.running = (progress.share, progress.text)
        self._view.show_state()

    def _show(self, about: Hashable, shown: Shown) -> None:
        """Make a result the newest and have it sent."""
        view = self._view
        if not view.joined:  # closed meanwhile
            return
        self.kept.add(about, shown)
        view.session.kept_bytes[self] = self.kept.nbytes
        view.failure = None
        self.finished_at = time.monotonic()
        self.lay_out()
        (view.owner or view).picture_due()

    def _most_bytes(self) -> int:
        session = self._view.session
        views = sum(hasattr(member, "job") for member in session.members)
        return int(MEMORY_SHARES["results"] * session.max_memory / max(1, views))
