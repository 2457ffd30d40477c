"""Components that follow from a request's fields, and the request that follows from their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradio.components import Component

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.fields import Choice, Field, Flag, Given, Numeric, Option, Prompt, default_of, fields_of
from dmd2_demo.generate.request import Request, Seed, as_json
from dmd2_demo.generate.styled import StyleChoice
from dmd2_demo.models.family import Family
from dmd2_demo.page.inputs import Checkbox, Dropdown, Number, PictureInput, Radio, Slider, Textbox

Convert = Callable[[Any], Any]
"""Makes a field's value of what its component sends. DemoError where that can't be used."""


class Form:
    """The fields of one request class on the page, each under its own name.

    `shared` are components that other forms have too; of them it takes those that its request has. `convert` is for
    fields whose component sends something else than the request takes.
    """

    def __init__(
        self, request: type[Request], family: Family, shared: Mapping[str, Component], **convert: Convert
    ) -> None:
        self.request, self.family, self._convert = request, family, convert
        self.components: dict[str, Any] = {name: shared[name] for name in fields_of(request) if name in shared}

    def add(self, name: str, **look: Any) -> Any:
        """The component of a field, laid out where this is called."""
        self.components[name] = component(self.request, name, self.family, **look)
        return self.components[name]

    def clean(self, settings: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Of settings by the fields' names, what its components can show, and a sentence for each that they can't."""
        values, notices = dict[str, Any](), list[str]()
        for name, field in fields_of(self.request).items():
            # A style that a picture has is told of also where none can be chosen.
            shown = name in self.components
            if name in settings and field.kept and (shown or isinstance(field, StyleChoice)):
                try:
                    clean = field.check(self.convert(name, settings[name]), self.family)
                except DemoError as error:
                    notices.append(f"{field.label} {settings[name]!r:.60} can't be used here. {error}")
                    if shown and isinstance(field, StyleChoice):
                        values[name] = ""  # else the one that is chosen now would stay
                else:
                    values |= {name: "" if clean is None else as_json(clean)} if shown else {}
        return values, notices

    def convert(self, name: str, value: object) -> Any:
        """What a field's component sent, as the request takes it."""
        return self._convert.get(name, _as_it_is)(value)

    def build(self, values: Mapping[str, Any]) -> Request:
        """The request with these values; its own defaults for the rest. DemoError where one can't be used."""
        return self.request(family=self.family, **self._converted(values))

    def blank(self, values: Mapping[str, Any], **given: Any) -> Request:
        """A request with these values for nothing in particular, to ask what it takes. `given` needs no conversion."""
        return self.request.blank(self.family, **self._converted(values), **given)

    def _converted(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.convert(name, value) for name, value in values.items()}


def component(request: type, name: str, family: Family, **look: Any) -> Any:
    """What a visitor sets that field of a request with; its default is the request's. `look` is handed to Gradio.

    None of them checks: the request does, and its sentences are for visitors.
    """
    field = fields_of(request)[name]
    default = default_of(request, name, family)
    made = _component(field, as_json(default), family, {"label": field.label, "info": field.hint or None} | look)
    made.told = _told(field, family)
    return made


def _told(field: Field, family: Family) -> str:
    """What the field is, for programs."""
    facts = [field.label, *([field.hint] if field.hint else ())]
    match field:
        case Seed():
            facts.append("a whole number, the same for the same picture; -1 draws one")
        case Numeric():
            allowed = field.range_of(family)
            facts.append(f"from {allowed.least:g} to {allowed.most:.15g}, in steps of {allowed.step:g}")
        case Choice() | StyleChoice():
            facts.append(" or ".join(f"{value} ({title})" for title, value in field.options(family)))
    return "; ".join(facts)


def _component(field: Field, default: Any, family: Family, look: dict[str, Any]) -> Any:
    match field:
        case Prompt():
            return Textbox(**look)
        case Seed():
            return Number(default, precision=None, step=1, **look)
        case Numeric():
            allowed = field.range_of(family)
            if field.slider:
                return Slider(allowed.least, allowed.most, default, step=allowed.step, **look)
            return Number(default, precision=None, step=allowed.step, **look)
        case Flag():
            return Checkbox(default, **look)
        case Choice():
            options = field.options(family)
            # A few are seen at once; who may write another needs room for it.
            few = len(options) <= 2 and not look.get("allow_custom_value")
            return (Radio if few else Dropdown)(options, value=default, **look)
        case StyleChoice():
            return Dropdown(field.options(family), value="", **look)
        case Option():
            return Dropdown(list(field.options), value=default, **look)
        case Given():
            look.pop("info")
            # Gradio serialises what __init__ names: a subclass can't fill these in by one of its own.
            return PictureInput(type="filepath", image_mode=None, sources=["upload", "clipboard", "webcam"], **look)
    raise TypeError(f"no component for {field}")


def _as_it_is(value: Any) -> Any:
    return value
