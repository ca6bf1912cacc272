"""Finds the next sample, in the order of the dataset, that the model takes for another class than its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnwidgets.measures.features import labels_of
from nnwidgets.training.worker import Job, Snapshot
from nnwidgets.words import plural

if TYPE_CHECKING:
    from nnwidgets.display.view import View

ROWS = 64


class NextWrong(Job):
    """Selects it for a view. Of a dataset that only the user's thread can read, those samples count that were read."""

    name = "next wrong"

    def __init__(self, view: View) -> None:
        self._view = view

    def wanted(self) -> bool:
        return False  # runs when it is requested

    def failed(self, error: BaseException, step: int) -> None:
        self._view.fail(error, step)

    def work(self, snapshot: Snapshot) -> Iterator[None]:
        view, session = self._view, self._view.session
        samples, start, tried = session.samples, view.sample, 0
        indices = [*range(start + 1, len(samples)), *range(start + 1)]
        for first in range(0, len(indices), ROWS):
            rows = samples.readable(indices[first : first + ROWS])
            rows = tuple(index for index in rows if index not in samples.missing(rows))
            if rows:
                batch = samples.batch(rows)
                scores = session.batch_scores(snapshot.shadow.run(*batch.args, **batch.kwargs))
                if scores is None or not session.task.one_class:
                    raise ValueError("next wrong: expected a model with class scores, got one without; give score_fn=")
                labels = labels_of(session, rows)
                wrong = (labels >= 0) & (labels != session.task.predicted(scores))
                if wrong.any():
                    view.select(sample=rows[int(wrong.int().argmax())])
                    view.changed()
                    return
                tried += int((labels >= 0).sum())
            yield
        view.tell(f"No wrong prediction among {plural(tried, 'sample')} with a label")
