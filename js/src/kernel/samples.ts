/** Which sample is on show, and ways to another: the one beside it, one by its index, the next wrong prediction. */

import { make, setHidden, setText } from "./dom.ts";
import { formatCount } from "./format.ts";
import type { SamplesHeader } from "./header.ts";
import type { Panel } from "./panel.ts";

export function makeSamples(panel: Panel): { element: HTMLElement; update(samples: SamplesHeader | null): void } {
  const [previous, next] = [make("button", "nnw-step", "‹"), make("button", "nnw-step", "›")];
  const [box, count] = [make("input", "nnw-sample-index"), make("span")];
  const wrong = make("button", "nnw-button", "Next wrong");
  const element = make("div", "nnw-samples nnw-small", previous, box, next, count, wrong);
  Object.assign(box, { type: "text", inputMode: "numeric", autocomplete: "off" });
  [element.role, element.ariaLabel] = ["group", "Sample"];
  [previous.ariaLabel, next.ariaLabel] = ["Previous sample", "Next sample"];
  wrong.title = "The next sample that the model classifies wrongly";
  element.hidden = true;
  let index = "";
  /** What is in the box was typed and not sent yet. */
  let typed = false;

  function restore(): void {
    typed = false;
    if (box.value !== index) box.value = index;
  }

  function send(): void {
    const text = box.value.trim();
    if (!typed || text === "" || text === index) return restore();
    typed = false;
    // Python says what is wrong with anything else.
    panel.command("select", { sample: /^-?\d+$/.test(text) ? Number(text) : text });
  }

  panel.listen(previous, "click", () => panel.command("step_sample", { by: -1 }));
  panel.listen(next, "click", () => panel.command("step_sample", { by: 1 }));
  panel.listen(wrong, "click", () => panel.command("next_wrong"));
  panel.listen(box, "input", () => (typed = true));
  panel.listen(box, "blur", send);
  panel.listen(box, "focus", () => box.select());
  panel.listen(box, "keydown", ({ key }) => {
    if (key === "Enter") send();
    else if (key === "Escape") restore();
  });

  return {
    element,
    update(samples) {
      setHidden(element, !samples);
      if (!samples) return;
      index = String(samples.index);
      if (!typed) restore();
      const last = formatCount(samples.count - 1);
      box.style.width = `${String(samples.count).length + 3}ch`;
      box.ariaLabel = `Sample, 0 to ${last}`;
      box.title = `0 to ${last}`;
      setText(count, `of ${formatCount(samples.count)}`);
      setHidden(wrong, !samples.labelled);
    },
  };
}
