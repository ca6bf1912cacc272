"""Which samples are on a map: a fixed subset of the dataset, and always the one looked at."""

from __future__ import annotations

from dataclasses import dataclass

from nnwidgets.data import Samples


@dataclass(frozen=True)
class _Held:
    """A subset with a guest in the place of another. Replaced as a whole: several threads ask."""

    samples: tuple[int, ...]
    guest: int | None = None
    gone: int | None = None


class Chosen:
    """A subset in which the sample looked at takes the place of another of its class, if it is not among them anyway.

    So there are always as many points, as many of each class, and the others keep their rows. A sample that has come
    in stays until the next one does, so that a click on the map leaves the map as it is.
    """

    def __init__(self, subset: tuple[int, ...], samples: Samples) -> None:
        self.subset, self._samples = subset, samples
        self._among = frozenset(subset)
        self._held = _Held(subset)

    def holding(self, sample: int) -> tuple[int, ...]:
        """The subset with this sample among it, unless that can't be read."""
        held = self._held
        if sample == held.gone:
            held = _Held(self.subset)
        elif sample != held.guest and sample not in self._among and self._samples.readable((sample,)):
            held = self._with(sample)
        self._held = held
        return held.samples

    def _with(self, guest: int) -> _Held:
        """In the place of the nearest index of its class; of the nearest index where no other has its class."""
        label = self._samples.label(guest)
        alike = [place for place, index in enumerate(self.subset) if self._samples.label(index) == label]
        place = min(alike or range(len(self.subset)), key=lambda place: abs(self.subset[place] - guest))
        samples = (*self.subset[:place], guest, *self.subset[place + 1 :])
        return _Held(samples, guest, self.subset[place])
