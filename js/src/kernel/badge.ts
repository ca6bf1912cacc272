/** The badge that says whether clicks are answered while a cell runs, and what to do when they are not. */

import { icon, make, setHidden, setText } from "./dom.ts";
import type { Answers } from "./connection.ts";
import type { Panel } from "./panel.ts";

const EYE = ["M1 8q7-9 14 0q-7 9-14 0z", "M8 5.6a2.4 2.4 0 1 1-.01 0z"];

/** With `quiet` a kernel that answers is not spoken of: only what is in the way is said. */
export function makeBadge({ connection, widget }: Panel, quiet: boolean) {
  const label = make("span");
  const short = make("span", "nnw-badge-short");
  const marks = make("span", "nnw-badge-mark");
  const waits = make("p");
  const card = make(
    "div",
    "nnw-card nnw-float",
    make("h4", "", "Clicks wait for the cell"),
    waits,
    make("p", "", "To be answered now, add to the loop:"),
    make("code", "", "watch.poll()"),
  );
  const element = make("div", "nnw-badge", marks, label, short, card);
  element.hidden = true;
  let shown: Answers = "unknown";

  return {
    element,
    update(training: boolean): void {
      const { answers, waiting } = connection;
      widget.classList.toggle("nnw-view-only", answers === "view_only");
      setHidden(element, answers === "unknown" || (answers === "yes" && (quiet || !training)));
      if (answers !== shown) {
        shown = answers;
        const viewOnly = answers === "view_only";
        element.dataset.kind = answers;
        marks.replaceChildren(...(viewOnly ? [icon(EYE)] : []));
        setText(label, viewOnly ? "Clicks are answered after this cell" : "You can click while it trains");
        setText(short, viewOnly ? "clicks wait" : "clickable");
        setHidden(card, !viewOnly);
        element.tabIndex = viewOnly ? 0 : -1;
      }
      const clicks = waiting.count === 1 ? "1 click is waiting" : `${waiting.count} clicks are waiting`;
      const newest = waiting.newest ? `: ${waiting.newest}` : "";
      setText(
        waits,
        `This kernel delivers clicks only after the running cell. The picture still follows the training. ` +
          `${waiting.count ? `${clicks}${newest}.` : "No click is waiting."}`,
      );
    },
  };
}
