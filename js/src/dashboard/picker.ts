/** The layers as a dropdown with ‹ ›, where the dashboard has no room for the list. */

import { make } from "../kernel/dom.ts";
import type { Panel } from "../kernel/panel.ts";
import type { LayerRow, Tree } from "./layers.ts";

export function makePicker(panel: Panel, select: (layer: string) => void): Tree {
  const list = make("select", "nnw-select");
  const [previous, next] = [make("button", "nnw-step", "‹"), make("button", "nnw-step", "›")];
  const label = make("label", "nnw-control", make("span", "", "Layer"), list);
  const element = make("div", "nnw-layer-picker", label, previous, next);
  let rows: readonly LayerRow[] = [];
  let layer: string | null = null;
  for (const [button, by, name] of [[previous, -1, "Previous layer"], [next, 1, "Next layer"]] as const) {
    button.ariaLabel = name;
    panel.listen(button, "click", () => {
      const to = neighbour(rows, layer, by);
      if (to !== null) select(to);
    });
  }
  panel.listen(list, "change", () => select(list.value));
  return {
    element,
    update(given) {
      rows = given;
      const names = rows.filter((row) => !row.group).map((row) => row.name);
      if (names.join("\n") === Array.from(list.options, (option) => option.value).join("\n")) return;
      list.replaceChildren(...names.map((name) => new Option(name, name)));
    },
    mark(selected) {
      layer = selected;
      list.value = selected ?? "";
      previous.disabled = neighbour(rows, layer, -1) === null;
      next.disabled = neighbour(rows, layer, 1) === null;
    },
  };
}

/** The layer `by` places before or after `name`, groups left out; null at the ends. */
export function neighbour(rows: readonly LayerRow[], name: string | null, by: 1 | -1): string | null {
  const layers = rows.filter((row) => !row.group);
  const at = layers.findIndex((row) => row.name === name);
  return layers[at + by]?.name ?? null;
}
