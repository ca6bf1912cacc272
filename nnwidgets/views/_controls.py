"""Options of a view and the controls that the page draws for them. Knows traits; knows no model.

An option is a trait tagged `control` ("dropdown", "toggle"), `label` and perhaps `choices` [(value, text), …] and
`wire`, its name in the page if that is another. It is not synced by traitlets: the page asks for a change by a message.
"""

from __future__ import annotations

from typing import Any, ClassVar

import traitlets

from nnwidgets.views._wire import Header


class HasControls(traitlets.HasTraits):
    """Mixin of views with options: `controls` names the traits in the order of the page."""

    stem: ClassVar[str]
    controls: ClassVar[tuple[str, ...]] = ()

    def choices(self, option: str) -> list[tuple[Any, str]]:
        """Values and labels that an option may take, when its trait does not tell."""
        raise KeyError(option)

    def option_specs(self) -> list[Header]:
        """The controls at the right of the head, from the traits named in `controls`."""
        specs = []
        for name in self.controls:
            trait = self.traits()[name]
            choices = trait.metadata.get("choices") or self.choices(name)
            if choices:
                specs.append(
                    {
                        "name": trait.metadata.get("wire", name),
                        "label": trait.metadata["label"],
                        "kind": trait.metadata["control"],
                        "value": getattr(self, name),
                        "choices": choices,
                    }
                )
        return specs

    def set_option(self, change: dict[str, Any]) -> None:
        """Do what the page asks of an option: `change` has its `name` and the new `value`.

        Raises:
            KeyError: there is no such option.   ValueError: it can't have that value.
        """
        name, value = change.get("name"), change.get("value")
        traits = self.traits()
        own = next((own for own in self.controls if traits[own].metadata.get("wire", own) == name), None)
        if own is None:
            raise KeyError(f"option: no {name!r} in the {self.stem} view")
        choices = traits[own].metadata.get("choices") or self.choices(own)
        if value not in [choice for choice, _ in choices]:
            raise ValueError(f"{name}: expected one of {[choice for choice, _ in choices]}, got {value!r}")
        setattr(self, own, value)
