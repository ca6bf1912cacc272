/** The generic option controls at the right of a head: native elements, 28 high, each with a visible label. */

import { make } from "./dom.ts";
import { formatCount, formatValue } from "./format.ts";
import type { OptionHeader, OptionValue } from "./header.ts";

type Change = (name: string, value: OptionValue) => void;

interface Control {
  element: HTMLElement;
  set(value: OptionValue): void;
}

function dropdown(option: OptionHeader, change: Change): Control {
  const choices = option.choices ?? [];
  const select = make("select", "nnw-select");
  select.append(...choices.map(([, label], i) => new Option(label, String(i))));
  const set = (value: OptionValue): void => {
    select.selectedIndex = choices.findIndex(([choice]) => choice === value);
  };
  select.addEventListener("change", () => {
    const choice = choices[select.selectedIndex];
    if (choice) change(option.name, choice[0]);
  });
  return { element: make("label", "nnw-control", make("span", "", option.label), select), set };
}

function toggle(option: OptionHeader, change: Change): Control {
  const choices = option.choices ?? [];
  const buttons = choices.map(([value, label]) => {
    const button = make("button", "", label);
    button.addEventListener("click", () => {
      set(value);
      change(option.name, value);
    });
    return button;
  });
  const set = (value: OptionValue): void =>
    buttons.forEach((button, i) => {
      button.ariaPressed = String(choices[i]?.[0] === value);
    });
  const group = make("div", "nnw-toggle", ...buttons);
  group.role = "group";
  group.ariaLabel = option.label;
  return { element: make("div", "nnw-control", make("span", "", option.label), group), set };
}

function slider(option: OptionHeader, change: Change): Control {
  const input = make("input", "nnw-slider");
  const output = make("output");
  Object.assign(input, { type: "range", min: String(option.min ?? 0), max: String(option.max ?? 1) });
  input.step = String(option.step ?? "any");
  const show = (): void => {
    const whole = Number.isInteger(option.step) && Number.isInteger(option.min);
    output.textContent = whole ? formatCount(input.valueAsNumber) : formatValue(input.valueAsNumber);
  };
  input.addEventListener("input", show);
  input.addEventListener("change", () => change(option.name, input.valueAsNumber));
  const set = (value: OptionValue): void => {
    // A slider under the user's hand must not jump back to what Python last heard.
    if (document.activeElement === input && input.matches(":active")) return;
    input.value = String(value);
    show();
  };
  return { element: make("label", "nnw-control", make("span", "", option.label), input, output), set };
}

const MAKERS = { dropdown, toggle, slider };

/** Controls are rebuilt only when what they offer changes, so that an open one survives a refresh. */
export function makeControls(change: Change) {
  const element = make("div", "nnw-controls");
  let offered = "";
  let controls: Control[] = [];
  return {
    element,
    update(options: readonly OptionHeader[]): void {
      const offer = JSON.stringify(options.map(({ value: _, ...rest }) => rest));
      if (offer !== offered) {
        offered = offer;
        controls = options.map((option) => MAKERS[option.kind](option, change));
        element.replaceChildren(...controls.map((control) => control.element));
      }
      options.forEach((option, i) => controls[i]?.set(option.value));
    },
  };
}
