/** What checks found: a row for each, worst first, what is well folded into one line; a row opens to reason and repair. */

import { icon, make, setHidden, setText, showRows, showText } from "../kernel/dom.ts";
import { plural } from "../kernel/format.ts";
import type { MakeBlock } from "./block.ts";
import { bindCursor, placeOf, rectWithin } from "./cursor.ts";
import { makeNothing } from "./nothing.ts";
import type { Verdict, VerdictsBlock } from "./types.ts";

type Level = Verdict["level"];

const MARKS: Record<Level, () => SVGSVGElement> = {
  wrong: () => icon(["M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z"], { filled: true }),
  look: () => icon(["M8 2 L15 14 H1z"], { filled: true }),
  "not checked": () => icon(["M8 2 A6 6 0 1 1 7.99 2"], { dash: "2.2 2.2" }),
  ok: () => icon(["M2.5 8.5 L6.5 12.5 L13.5 4"]),
};

/** What a row is about: a finding, or all that are well together. */
type Line = { finding: number } | { well: number };

/** The rows on show: what is not well, then the line of what is, then that itself where it was opened. */
export function linesOf({ findings, places }: VerdictsBlock, wellOpen: boolean): Line[] {
  const level = (finding: number): Level => findings[finding]!.level;
  const bad = places.filter((finding) => level(finding) !== "ok");
  const well = places.filter((finding) => level(finding) === "ok");
  const rest = wellOpen ? well.map((finding) => ({ finding })) : [];
  return [...bad.map((finding) => ({ finding })), ...(well.length > 0 ? [{ well: well.length }] : []), ...rest];
}

type Row = ReturnType<typeof makeRow>;

function makeRow(place: number) {
  const [mark, text] = [make("span", "nnw-verdicts-mark"), make("span", "nnw-verdicts-text")];
  const [figures, since] = [make("span", "nnw-verdicts-figures"), make("span", "nnw-verdicts-since")];
  const [reason, repair] = [make("p"), make("code", "nnw-verdicts-repair")];
  const link = make("button", "nnw-verdicts-place nnw-link", "Show the place");
  const more = make("div", "nnw-verdicts-more", reason, repair, link);
  const head = make("div", "nnw-verdicts-head", mark, text, figures, since);
  const element = make("div", "nnw-verdicts-row", head, more);
  element.role = "treeitem";
  element.dataset["place"] = String(place);
  return { element, mark, text, figures, since, more, reason, repair, place: link };
}

export const makeVerdicts: MakeBlock<VerdictsBlock> = ({ panel, click }) => {
  const list = make("div", "nnw-verdicts-list");
  const nothing = makeNothing(list);
  const element = make("div", "nnw-verdicts", list, nothing.element);
  const rows: Row[] = [];
  /** What is open, by the check's words: a finding may move, and one that comes back is open again. */
  const open = new Set<string>();
  let data: VerdictsBlock | undefined;
  let wellOpen = false;
  let lines: Line[] = [];

  const isOpen = (line: Line): boolean => ("well" in line ? wellOpen : open.has(data!.findings[line.finding]!.text));

  function toggle(index: number, to?: boolean): boolean {
    const line = lines[index];
    if (!line || isOpen(line) === to) return false;
    if ("well" in line) wellOpen = !wellOpen;
    else {
      const { text } = data!.findings[line.finding]!;
      if (!open.delete(text)) open.add(text);
    }
    panel.redraw();
    return true;
  }

  const refreshCursor = bindCursor(panel, list, {
    role: "tree",
    count: () => lines.length,
    at: (_x, _y, hit) => (hit.closest(".nnw-verdicts-more") ? null : placeOf(hit)),
    place: (index) => ({ rect: rectWithin(rows[index]!.element, list), text: rows[index]!.element.ariaLabel ?? "" }),
    item: (index) => rows[index]?.element,
    choose: (index) => void toggle(index),
    press: (key, index) => (key === "ArrowRight" || key === "ArrowLeft") && toggle(index, key === "ArrowRight"),
    // The row says what a tooltip would.
    visit: () => true,
  });
  panel.listen(list, "click", (event) => {
    const hit = event.target as Element;
    const line = hit.closest(".nnw-verdicts-place") ? lines[placeOf(hit) ?? -1] : undefined;
    if (line && "finding" in line) click(line.finding);
  });

  function fill(row: Row, line: Line): void {
    const shown = isOpen(line);
    const finding: Verdict =
      "finding" in line
        ? data!.findings[line.finding]!
        : { level: "ok", text: `${plural(line.well, "check")} ok`, figures: "", reason: "", repair: "", since: "", place: false };
    if (row.mark.dataset["level"] !== finding.level) {
      row.mark.dataset["level"] = finding.level;
      row.mark.replaceChildren(MARKS[finding.level]());
    }
    setText(row.text, finding.text);
    setText(row.figures, finding.figures);
    setText(row.since, finding.since);
    showText(row.reason, finding.reason);
    showText(row.repair, finding.repair);
    setHidden(row.place, !finding.place);
    setHidden(row.more, !shown || !(finding.reason || finding.repair || finding.place));
    row.element.ariaExpanded = String(shown);
    row.element.ariaLabel = [finding.level, finding.text, finding.figures, finding.since].filter(Boolean).join(", ");
  }

  return {
    element,
    update(next) {
      data = next;
      nothing.show(next.findings.length === 0, next.empty);
      list.ariaLabel = `${next.title || "Checks"}: ${next.summary}`;
    },
    draw() {
      if (!data) return;
      lines = linesOf(data, wellOpen);
      showRows(list, rows, lines.length, makeRow);
      lines.forEach((line, i) => fill(rows[i]!, line));
      refreshCursor();
    },
  };
};
