"""What the model takes a sample for, in words: one class, or several labels."""

from __future__ import annotations

from torch import Tensor

from nnwidgets.session import Session
from nnwidgets.words import count, share

MOST = 3


def best(session: Session, scores: Tensor | None) -> list[tuple[str, float]]:
    """The three most probable classes or labels and their probabilities, of scores (classes,)."""
    if scores is None:
        return []
    shares, classes = session.task.probabilities(scores.float()).topk(min(MOST, len(scores)))
    pairs = zip(classes.tolist(), shares.tolist(), strict=True)
    return [(session.class_name(index), part) for index, part in pairs]


def predicted_words(session: Session, scores: Tensor | None) -> str:
    """The class with the highest score, or the labels that are more probable than not; "" without scores."""
    found = best(session, scores)
    if scores is None or session.task.one_class:
        found = found[:1]
    else:
        found, yes = [each for each in found if each[1] > 0.5], int(session.task.said_yes(scores).sum())
        if not yes:
            return f"predicted none of {count(len(scores))} labels"
        if yes > len(found):
            return f"predicted {_listed(found)} and {count(yes - len(found))} more"
    return f"predicted {_listed(found)}" if found else ""


def label_words(session: Session, name: str) -> str:
    """The name of a sample's class, or of its labels, as the caption says it."""
    noun = "labels" if session.task.kind == "labels" else "label"
    return f"{noun} {name}" if name else ""


def _listed(found: list[tuple[str, float]]) -> str:
    return ", ".join(f"{name} ({share(part)})" for name, part in found)
