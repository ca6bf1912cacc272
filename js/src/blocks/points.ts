/** Samples as points: the cloud with its legend, search, tools and hover card. */

import type { CardLine } from "../kernel/card.ts";
import { make } from "../kernel/dom.ts";
import { formatCount, formatValue } from "../kernel/format.ts";
import type { CommonHeader } from "../kernel/header.ts";
import { ARROWS, bindKeys } from "../kernel/keys.ts";
import { Shared } from "../kernel/shared.ts";
import type { MakeBlock } from "./block.ts";
import { type Cloud, NO_CLASS, type Showing, readCloud, sameCloud } from "./points/cloud.ts";
import { makeFinder } from "./points/finder.ts";
import { makeGestures } from "./points/gestures.ts";
import { makeHint } from "./points/hint.ts";
import { placeCard } from "./points/labels.ts";
import { LEGEND_OPTIONS, makeLegend } from "./points/legend.ts";
import { looksOf } from "./points/looks.ts";
import { type Column, readColumns, sameColumns, wordsOf } from "./points/metadata.ts";
import { sameIds } from "./points/motion.ts";
import { type SelectMode, combine } from "./points/picking.ts";
import { type SaveKind, save } from "./points/save.ts";
import { Stage } from "./points/stage.ts";
import { makeTools } from "./points/tools.ts";
import { readTrails } from "./points/trails.ts";
import type { PointsBlock } from "./types.ts";

const KEYS = "Arrow keys walk the points, Enter looks at one; P, B, L choose the tool, F shows all, / searches.";
const ZOOM_KEYS: Record<string, number> = { "+": 1.25, "=": 1.25, "-": 0.8 };

export const makePoints: MakeBlock<PointsBlock> = ({ panel, click }) => {
  let data: PointsBlock | null = null;
  let header: CommonHeader = { title: "" };
  let drawnFor = "";
  /** Whether the card in sight is one of ours: there is one for all blocks. */
  let told = false;
  /** What is known of the samples, a value of each for every row of the cloud. */
  let columns: readonly Column[] = [];
  const sample = new Shared<number | null>(null, Object.is);
  /** Dataset indices of the selected, in the order in which they came in. */
  const selected = new Shared<readonly number[]>([], sameIds);

  const overlay = make("canvas", "nnw-points-marks");
  const hint = makeHint(panel.onDispose);
  const frame = make("div", "nnw-points-cloud", overlay, hint.element);
  const stage = new Stage(frame, overlay, () => panel.redraw());
  const legend = makeLegend(panel.listen, restyle, (name, value) => panel.command("option", { name, value }));
  const tools = makeTools(panel.listen, () => stage.steer((view) => view.fit()), saveAs);
  const finder = makeFinder(panel.listen, {
    search() {
      find();
      restyle();
    },
    select: (rows) => selectRows(rows, "replace"),
    leave: () => overlay.focus({ preventScroll: true }),
  });
  const acts = { point, choose, select: selectRows, hint: (shown: boolean) => (shown ? hint.show() : hint.hide()) };
  const gestures = makeGestures(overlay, stage, tools, acts, panel.listen);
  tools.onChange = gestures.cursor;
  gestures.cursor();
  legend.element.prepend(finder.element);
  panel.widget.classList.add("nnw-points-panel");
  panel.widget.querySelector(".nnw-right")?.append(tools.element);
  overlay.tabIndex = 0;
  overlay.role = "application";
  bindKeys(panel.widget, panel.listen, press);
  panel.onDispose(() => {
    stage.dispose();
    tools.element.remove();
    panel.widget.classList.remove("nnw-points-panel");
    tell(-1);
  });

  const cloud = (): Cloud => stage.looks.cloud;
  const indexOf = (row: number): number => cloud().indices[row] as number;
  const rowOf = (index: number | null): number =>
    index === null ? -1 : Array.prototype.indexOf.call(cloud().indices, index);

  function counts(): { wrong: number; selected: number } {
    const wrong = cloud().classes.reduce((sum, entry) => sum + entry.wrong, 0);
    return { wrong, selected: selected.value.length };
  }

  function showing(): Showing {
    const { on, onlyWrong } = legend;
    return { on, onlyWrong, selected: new Set(selected.value), found: finder.found() };
  }

  function saveAs(kind: SaveKind): void {
    if (!data) return;
    save(kind, { stage, name: data.key, header, columns, showing: showing(), counts: counts() }, panel.theme());
  }

  /** Other points, or the same in other looks. */
  function dress(now: PointsBlock, moved: boolean): void {
    const hovered = stage.hovered >= 0 ? indexOf(stage.hovered) : null;
    stage.looks = looksOf(moved ? readCloud(now) : cloud(), columns, now.color, now.size, stage.looks);
    find();
    legend.update(stage.looks, counts(), panel.theme());
    stage.show(showing(), moved);
    if (moved) stage.hovered = rowOf(hovered);
  }

  function restyle(): void {
    stage.setShowing(showing());
    drawnFor = "";
  }

  /** Marks the sample looked at, and leads lines to those near it as long as they are known. */
  function look(): void {
    const near = sample.value === (data?.sample ?? null) ? Array.from(data?.near?.data ?? []) : [];
    stage.look(rowOf(sample.value), near);
  }

  function find(): void {
    finder.find(cloud(), columns);
  }

  function choose(row: number): void {
    sample.set(indexOf(row));
    look();
    drawnFor = "";
    click({ sample: indexOf(row) });
    panel.redraw();
  }

  function select(samples: number[]): void {
    selected.set(samples);
    click({ samples });
    restyle();
  }

  function selectRows(rows: readonly number[], mode: SelectMode): void {
    select(combine(selected.value, rows.map(indexOf), mode));
  }

  /** Rings a row and shows its card; -1 for none. */
  function point(row: number): void {
    if (row !== stage.hovered) panel.redraw();
    stage.hovered = row;
    overlay.dataset["hovered"] = row < 0 ? "" : String(indexOf(row));
    tell(row);
  }

  /** The card beside a row, as long as that is in sight. */
  function tell(row: number): void {
    const { width, height } = stage.size;
    const xy = row < 0 ? [] : stage.screen();
    const [x, y] = [xy[2 * row] ?? -1, xy[2 * row + 1] ?? -1];
    const inSight = x >= 0 && y >= 0 && x <= width && y <= height;
    if (told && !inSight) panel.card.hide();
    told = inSight;
    if (!inSight) return;
    const { left, top } = overlay.getBoundingClientRect();
    const at = { x: left + x, y: top + y, width: 0, height: 0 };
    panel.card.show(indexOf(row), at, cardOf(cloud(), columns, row), (size) => {
      const place = placeCard(x, y, size, stage.size, stage.count);
      return { x: left + place.left, y: top + place.top };
    });
  }

  /** Keys of the block; those of the canvas only while it has the focus, so that buttons and slider keep theirs. */
  function press(event: KeyboardEvent): boolean {
    const tool = ({ p: "pan", b: "box", l: "lasso" } as const)[event.key.toLowerCase()];
    if (tool) tools.choose(tool);
    else if (event.key.toLowerCase() === "f") stage.steer((view) => view.fit());
    else if (event.key === "/") finder.focus();
    else if (event.key === "Escape") escape();
    else return event.target === overlay && pressOnCanvas(event.key);
    return true;
  }

  function pressOnCanvas(key: string): boolean {
    const [zoom, arrow] = [ZOOM_KEYS[key], ARROWS[key]];
    if (key === " ") gestures.holdSpace(true);
    else if (key === "Enter" && stage.hovered >= 0) choose(stage.hovered);
    else if (zoom) stage.steer((view) => view.zoom(zoom, view.size.width / 2, view.size.height / 2));
    else if (arrow) {
      const next = stage.towards(stage.hovered >= 0 ? stage.hovered : stage.sample, ...arrow);
      if (next >= 0) point(next);
    } else return false;
    return true;
  }

  function escape(): void {
    if (gestures.cancel()) return;
    if (selected.value.length > 0) select([]);
    else if (stage.hovered >= 0) point(-1);
  }

  return {
    element: make("div", "nnw-points-row", frame, legend.element),
    ownOptions: LEGEND_OPTIONS,
    update(next, nextHeader) {
      const before = data;
      data = next;
      header = nextHeader;
      const [moved, described] = [!sameCloud(next, before), !sameColumns(next, before)];
      const reselected = next.selected !== before?.selected && selected.hear(Array.from(next.selected?.data ?? []));
      if (described) columns = readColumns(next);
      if (moved || described || next.color !== before?.color || next.size !== before.size) dress(next, moved);
      else if (reselected) restyle();
      if (next.trails !== before?.trails || next.trail_rows !== before?.trail_rows) stage.trails = readTrails(next);
      sample.hear(next.sample ?? null);
      look();
      drawnFor = "";
    },
    state(next) {
      header = next;
      drawnFor = "";
    },
    draw(width, theme) {
      stage.draw(theme);
      if (!stage.moving || stage.hovered < 0) tell(stage.hovered);
      const key = `${theme.dark} ${width}`;
      if (key === drawnFor) return;
      drawnFor = key;
      legend.update(stage.looks, counts(), panel.theme());
      legend.offer(header.options ?? []);
      overlay.dataset["step"] = String(header.step ?? "");
      overlay.dataset["selected"] = String(selected.value.length);
      overlay.ariaLabel = summaryOf(cloud(), header.title, counts());
    },
  };
};

/** The canvas's label. */
function summaryOf(cloud: Cloud, title: string, counts: { wrong: number; selected: number }): string {
  const words = [
    `Map of ${formatCount(cloud.n)} samples${title && ` of ${title}`}`,
    ...(cloud.classes.length > 0 ? [`${cloud.classes.length} classes`, `${formatCount(counts.wrong)} wrong`] : []),
    `${formatCount(counts.selected)} selected`,
  ];
  return `${words.join(", ")}. ${KEYS}`;
}

/** The card's lines before Python answers. */
function cardOf(cloud: Cloud, columns: readonly Column[], row: number): CardLine[] {
  const [label, loss] = [cloud.labels[row] as number, cloud.loss[row] as number];
  const lines: [string, string][] = [];
  if (label !== NO_CLASS) lines.push(["label", cloud.classes[label]?.name ?? String(label)]);
  if (Number.isFinite(loss)) lines.push(["loss", formatValue(loss)]);
  return [...lines, ...wordsOf(columns, row)];
}
