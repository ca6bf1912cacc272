"""What a concrete view says: what it needs and makes of it, its layout, what a click selects; and what it may use.

`needs`, `blocked` and `clicked` run in the thread that asks; `compute`, `layout` and `caption` in the worker.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar, TypeVar

from nnwidgets.blocks.block import Block
from nnwidgets.blocks.strip import Strip
from nnwidgets.display.job import Heading, ViewJob
from nnwidgets.display.kept import Shown
from nnwidgets.display.packing import Layout
from nnwidgets.display.selecting import SELECTABLE, Follows, Select
from nnwidgets.display.strips import strip_of
from nnwidgets.measures.measure import Measure
from nnwidgets.session import Session
from nnwidgets.words import count

T = TypeVar("T")


class Contract(Follows):
    """What a view may override and use. All has a default but `layout`, `name` and `title`."""

    name: ClassVar[str]
    title: ClassVar[str]
    group: ClassVar[str] = "Views"
    slow: ClassVar[bool] = False
    marks: ClassVar[tuple[str, ...]] = SELECTABLE
    job: ViewJob
    _made: dict[str, tuple[Hashable, Any]]

    # What it says.

    def needs(self) -> Measure | Sequence[Measure]:
        """What is read from a snapshot, by options and selection; `compute` gets the values in this order."""
        return ()

    def blocked(self) -> str:
        """Why this can never be shown for this model and these data, and what to do; nothing where it can."""
        return ""

    def compute(self, *measured: Any) -> Any:
        """The result: of the measures' values and the options, and of nothing else. By default the only value.

        A generator yields None or `Progress` between slices of at most 50 ms, and results as they come, the last one
        whole.
        """
        return measured[0] if len(measured) == 1 else measured

    def layout(self, result: Any) -> Layout:
        """Blocks, one below the other; those of a tuple side by side. Anew after each change of what they show."""
        raise NotImplementedError(f"{type(self).__name__}: expected a layout(result) that returns blocks, got none")

    def clicked(self, block: Block, *where: Any) -> Select | None:
        """What a click on a block selects, for every view; `where` in it is what `Block.where` says."""
        return None

    def caption(self, result: Any) -> Sequence[str]:
        """What is shown, in a few words each, `Strong` where it is odd; without step and mode."""
        return ()

    def heading(self, result: Any) -> Heading:
        """What the picture is of; `result` is None before the first."""
        if "layer" in self.follows:
            return Heading(self.layer, code=True)
        return Heading(f"Sample {count(self.sample)}" if "sample" in self.follows else self.title)

    def card_lines(self, result: Any, sample: int) -> Sequence[tuple[str, str]]:
        """What else is known of a sample under the pointer: names and values."""
        return ()

    # What it may use.

    @property
    def run(self) -> Session:
        """What the views of the inspector share: `samples`, `layers`, `classes`, `class_name`, `record` …"""
        return self.session

    @property
    def result(self) -> Any:
        """The newest result, None before the first."""
        return self.newest.result if self.newest is not None else None

    @property
    def newest(self) -> Shown | None:
        """The newest result with its step, None before the first."""
        return self.job.kept.newest

    @property
    def displayed(self) -> Any:
        """The result on show: the newest, unless the page has gone back to an earlier one."""
        shown, _ = self.job.kept.look()
        return shown.result if shown is not None else None

    def strip(self, samples: Sequence[int], **fields: Any) -> Strip:
        """A block of samples with their pictures and labels, the first twelve; `fields` as of `blocks.Strip`."""
        return strip_of(self.session.samples, samples, **fields)

    def once(self, name: str, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returns, made anew when the key changes: for a part of the layout that seldom does."""
        if name not in self._made or self._made[name][0] != key:
            self._made[name] = key, make()
        made: T = self._made[name][1]
        return made

    def kept_until(self, result: Any) -> list[Any]:
        """The results kept over the training, from the first to this one."""
        return self.job.kept.until(result)
