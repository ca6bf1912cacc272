"""Options of a view: one declaration is the constructor's keyword, the check, the trait and the control on the page."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import traitlets

from nnwidgets.display.wire import Header

__all__ = ["HasOptions", "Option", "choice", "number"]

Choices = Sequence[tuple[Any, str]]


class Option(traitlets.TraitType[Any, Any]):
    """A trait with a control on the page. Not synced by traitlets: the page asks for a change, Python makes it."""

    def __init__(self, default: Any, *, help: str, label: str | None, kind: str, draws: bool) -> None:
        super().__init__(default, help=help)
        self.label, self.control, self.draws = label, kind, draws

    @property
    def title(self) -> str:
        """What the control is called: the label, by default the name."""
        return (self.name or "").replace("_", " ").capitalize() if self.label is None else self.label

    def spec(self, view: HasOptions) -> Header | None:
        """The control for the page (OptionHeader in js/src/kernel/header.ts), None where there is nothing to choose."""
        raise NotImplementedError

    def validate(self, obj: Any, value: Any) -> Any:
        """The value as the trait holds it. Raises TraitError for one that it can't have."""
        raise NotImplementedError

    def check_from_page(self, view: HasOptions, value: Any) -> None:
        """Raise TraitError for a value that the control does not offer."""
        self.validate(view, value)


class _Choice(Option):
    def __init__(
        self,
        values: Sequence[Any],
        default: Any,
        *,
        texts: Mapping[Any, str],
        of: str | None,
        check: str | None,
        **rest: Any,
    ) -> None:
        super().__init__(default, **rest)
        self._values, self._texts, self._of, self._check = tuple(values), texts, of, check

    def choices(self, view: HasOptions) -> Choices:
        """Values and their texts."""
        if self._of is not None:
            found: Choices = getattr(view, self._of)()
            return found
        return [(value, self._texts.get(value, _text_of(value))) for value in self._values]

    def spec(self, view: HasOptions) -> Header | None:
        choices = list(self.choices(view))
        value = getattr(view, str(self.name))
        return (
            {"name": self.name, "label": self.title, "kind": self.control, "value": value, "choices": choices}
            if choices
            else None
        )

    def validate(self, obj: Any, value: Any) -> Any:
        if self._check is not None:
            check: Callable[[Any], Any] = getattr(obj, self._check)
            return check(value)
        if self._of is None or value != self.default_value:
            self._check_listed(obj, value)
        return value

    def check_from_page(self, view: HasOptions, value: Any) -> None:
        self._check_listed(view, value)

    def _check_listed(self, view: HasOptions, value: Any) -> None:
        allowed = [each for each, _ in self.choices(view)]
        # True == 1: an option of numbers takes no booleans, and the other way round.
        if not any(type(value) is type(each) and value == each for each in allowed):
            listed = [repr(each) for each in allowed] or ["no value, as there is nothing to choose here"]
            words = " or ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)
            raise traitlets.TraitError(f"{self.name}: expected {words}, got {value!r}")


def _text_of(value: Any) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


class _Number(Option):
    def __init__(self, low: float, high: float, default: float, step: float | None, **rest: Any) -> None:
        super().__init__(default, kind="slider", **rest)
        self._low, self._high, self._step = low, high, step
        self._whole = all(isinstance(each, int) for each in (low, high, default, step or 1))

    def spec(self, view: HasOptions) -> Header:
        step = self._step if self._step is not None else 1 if self._whole else (self._high - self._low) / 100
        ends = {"min": self._low, "max": self._high, "step": step}
        return {
            "name": self.name,
            "label": self.title,
            "kind": self.control,
            "value": getattr(view, str(self.name)),
            **ends,
        }

    def validate(self, obj: Any, value: Any) -> Any:
        number = not isinstance(value, bool) and isinstance(value, int if self._whole else (int, float))
        if not number or not self._low <= value <= self._high:
            kind = "a whole number" if self._whole else "a number"
            raise traitlets.TraitError(f"{self.name}: expected {kind} from {self._low} to {self._high}, got {value!r}")
        return value if self._whole else float(value)


def choice(
    *values: Any,
    default: Any = None,
    help: str = "",
    label: str | None = None,
    texts: Mapping[Any, str] | None = None,
    kind: str = "dropdown",
    draws: bool = False,
    of: str | None = None,
    check: str | None = None,
) -> Any:
    """An option with some values to choose from.

    Args:
        values: what may be chosen; the first is the default.
        default: another default.
        help: what the option does, in a sentence.
        label: what the control is called; "" for none. Default: the attribute's name.
        texts: what the page calls the values, where that is not `str(value)`; of booleans not "on" and "off".
        kind: "dropdown" or "toggle".
        draws: only `layout` depends on it. Otherwise a change has the view computed anew.
        of: name of a method that returns `[(value, text), …]`, for values known at run time only.
        check: name of a method that returns the value checked, or raises `traitlets.TraitError`; for options that take
            more in Python than the page offers.

    >>> class Example(HasOptions):
    ...     name = "example"
    ...     scale = choice("layer", "map", help="One colour scale for the layer, or one per map.")
    >>> example = Example()
    >>> example.scale, example.option_specs()[0]["label"]
    ('layer', 'Scale')
    """
    start = default if default is not None else values[0] if values else None
    return _Choice(values, start, texts=texts or {}, of=of, check=check, help=help, label=label, kind=kind, draws=draws)


def number(
    low: float,
    high: float,
    *,
    default: float,
    step: float | None = None,
    help: str = "",
    label: str | None = None,
    draws: bool = False,
) -> Any:
    """An option that is a number between two ends, a slider on the page; whole when all that is given is whole."""
    return _Number(low, high, default, step, help=help, label=label, draws=draws)


class HasOptions(traitlets.HasTraits):
    """Has options declared as class attributes by `choice` and `number`, on the page in the order of declaration."""

    name: ClassVar[str]
    _options: ClassVar[dict[str, Option]]

    @classmethod
    def options(cls) -> dict[str, Option]:
        """The options by name, those of base classes first."""
        if "_options" not in vars(cls):
            named = {name: None for base in reversed(cls.__mro__) for name in vars(base)}
            traits = cls.class_traits()
            found = ((name, traits.get(name)) for name in named)
            cls._options = {name: trait for name, trait in found if isinstance(trait, Option)}
        return cls._options

    def option_specs(self) -> list[Header]:
        """The controls on the page."""
        specs = (option.spec(self) for option in self.options().values())
        return [spec for spec in specs if spec is not None]

    def option_values(self) -> tuple[Any, ...]:
        """What a result depends on besides the measures."""
        return tuple(getattr(self, name) for name, option in self.options().items() if not option.draws)

    def set_options(self, keywords: Mapping[str, Any], *, besides: Sequence[str]) -> None:
        """Set what the constructor was given; None leaves an option as it is.

        Raises:
            TypeError: no such option; those and the keywords `besides` them are named.
            ValueError: a value that is not allowed.
        """
        unknown = [name for name in keywords if name not in self.options()]
        if unknown:
            known = dict.fromkeys([*besides, *own_keywords(type(self)), *self.options(), "save_picture"])
            raise TypeError(f"{self.name}: expected keywords among {', '.join(known)}, got {unknown[0]!r}")
        for name, value in keywords.items():
            if value is not None:
                try:
                    setattr(self, name, value)
                except traitlets.TraitError as error:
                    raise ValueError(str(error)) from None

    def set_option(self, name: Any, value: Any) -> None:
        """Do what the page asks.

        Raises:
            KeyError: there is no such option.   TraitError, ValueError: it can't have that value.
        """
        option = self.options().get(name) if isinstance(name, str) else None
        if option is None:
            raise KeyError(f"option: no {name!r} in the {self.name} view")
        option.check_from_page(self, value)
        setattr(self, str(name), value)


def own_keywords(view: type) -> list[str]:
    """What the constructor of a concrete view takes besides that of every view."""
    parameters = inspect.signature(view).parameters.values()
    of_every_view = ("standalone", "save_picture")
    return [each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.name not in of_every_view]
