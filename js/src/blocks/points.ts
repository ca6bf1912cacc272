/** Samples as points: the cloud with its legend, search, tools and hover card. */

import type { Theme } from "../kernel/color.ts";
import { make } from "../kernel/dom.ts";
import type { CommonHeader } from "../kernel/header.ts";
import { ARROWS, bindKeys } from "../kernel/keys.ts";
import { Shared } from "../kernel/shared.ts";
import type { BlockView, Host, MakeBlock } from "./block.ts";
import { type Cloud, type Showing, readCloud, sameCloud } from "./points/cloud.ts";
import { Finder } from "./points/finder.ts";
import { type Gestures, makeGestures } from "./points/gestures.ts";
import { placeCard } from "./points/labels.ts";
import { LEGEND_OPTIONS, Legend } from "./points/legend.ts";
import { looksOf } from "./points/looks.ts";
import { type Column, readColumns, sameColumns } from "./points/metadata.ts";
import { sameIds } from "./points/motion.ts";
import { type SelectMode, combine } from "./points/picking.ts";
import { type Shown, save } from "./points/save.ts";
import { Stage } from "./points/stage.ts";
import { Tools } from "./points/tools.ts";
import { readTrails } from "./points/trails.ts";
import { cardOf, summaryOf } from "./points/words.ts";
import type { PointsBlock } from "./types.ts";

const ZOOM_KEYS: Record<string, number> = { "+": 1.25, "=": 1.25, "-": 0.8 };

class PointsView implements BlockView<PointsBlock> {
  readonly element: HTMLElement;
  readonly ownOptions = LEGEND_OPTIONS;
  #data: PointsBlock | null = null;
  #header: CommonHeader = { title: "" };
  readonly #sample = new Shared<number | null>(null, Object.is);
  #drawnFor = "";
  /** Whether the card in sight is one of ours: there is one for all blocks. */
  #told = false;
  /** What is known of the samples, a value of each for every row of the cloud. */
  #columns: readonly Column[] = [];
  /** Dataset indices of the selected, in the order in which they came in. */
  readonly #selected = new Shared<readonly number[]>([], sameIds);
  readonly #finder: Finder;
  readonly #overlay = make("canvas", "nnw-points-marks");
  readonly #stage: Stage;
  readonly #legend: Legend;
  readonly #tools: Tools;
  readonly #gestures: Gestures;
  readonly #host: Host;

  constructor(host: Host) {
    const { panel } = host;
    this.#host = host;
    const frame = make("div", "nnw-points-cloud", this.#overlay);
    this.#stage = new Stage(frame, this.#overlay, () => panel.redraw());
    this.#legend = new Legend(
      panel.listen,
      () => this.#restyle(),
      (name, value) => panel.command("option", { name, value }),
    );
    this.#tools = new Tools(
      panel.listen,
      () => this.#stage.steer((view) => view.fit()),
      () => this.#gestures?.cursor(),
      (kind) => this.#data && save(kind, this.#shown(this.#data), panel.theme()),
    );
    this.#finder = new Finder(panel.listen, {
      search: () => {
        this.#find();
        this.#restyle();
      },
      select: (rows) => this.#selectRows(rows, "replace"),
      leave: () => this.#overlay.focus({ preventScroll: true }),
    });
    const acts = {
      point: (row: number) => this.#point(row),
      choose: (row: number) => this.#choose(row),
      select: (rows: readonly number[], mode: SelectMode) => this.#selectRows(rows, mode),
    };
    this.#gestures = makeGestures(this.#overlay, this.#stage, this.#tools, acts, panel.listen);
    this.#gestures.cursor();
    panel.widget.classList.add("nnw-points-panel");
    this.#legend.element.prepend(this.#finder.element);
    this.element = make("div", "nnw-points-row", frame, this.#legend.element);
    panel.widget.querySelector(".nnw-right")?.append(this.#tools.element);
    this.#overlay.tabIndex = 0;
    this.#overlay.role = "application";
    bindKeys(panel.widget, panel.listen, (event) => this.#key(event));
    panel.onDispose(() => {
      this.#stage.dispose();
      this.#tools.element.remove();
      panel.widget.classList.remove("nnw-points-panel");
      this.#tell(-1);
    });
  }

  update(data: PointsBlock, header: CommonHeader): void {
    const before = this.#data;
    this.#data = data;
    this.#header = header;
    const [moved, told] = [!sameCloud(data, before), !sameColumns(data, before)];
    const { selected } = data;
    const reselected = selected !== before?.selected && this.#selected.hear(Array.from(selected?.data ?? []));
    if (told) this.#columns = readColumns(data);
    if (moved || told || data.color !== before?.color || data.size !== before.size) this.#dress(data, moved);
    else if (reselected) this.#restyle();
    if (data.trails !== before?.trails || data.trail_rows !== before?.trail_rows) this.#stage.trails = readTrails(data);
    this.#sample.hear(data.sample ?? null);
    this.#look();
    this.#drawnFor = "";
  }

  /** Other points, or the same in other looks. */
  #dress(data: PointsBlock, moved: boolean): void {
    const stage = this.#stage;
    const hovered = stage.hovered >= 0 ? (this.#cloud.indices[stage.hovered] as number) : null;
    stage.looks = looksOf(moved ? readCloud(data) : this.#cloud, this.#columns, data.color, data.size, stage.looks);
    this.#find();
    this.#updateLegend();
    stage.show(this.#showing(), moved);
    if (moved) stage.hovered = this.#row(hovered);
  }

  state(header: CommonHeader): void {
    this.#header = header;
    this.#drawnFor = "";
  }

  draw(width: number, theme: Theme): void {
    this.#stage.draw(theme);
    if (!this.#stage.moving || this.#stage.hovered < 0) this.#tell(this.#stage.hovered);
    const key = `${theme.dark} ${width}`;
    if (key === this.#drawnFor) return;
    this.#drawnFor = key;
    this.#updateLegend();
    this.#legend.offer(this.#header.options ?? []);
    this.#overlay.dataset["step"] = String(this.#header.step ?? "");
    this.#overlay.dataset["selected"] = String(this.#selected.value.length);
    this.#overlay.ariaLabel = summaryOf(this.#cloud, this.#header.title, this.#counts());
  }

  get #cloud(): Cloud {
    return this.#stage.looks.cloud;
  }

  #counts(): { wrong: number; selected: number } {
    const wrong = this.#cloud.classes.reduce((sum, entry) => sum + entry.wrong, 0);
    return { wrong, selected: this.#selected.value.length };
  }

  #updateLegend(): void {
    this.#legend.update(this.#stage.looks, this.#counts(), this.#host.panel.theme());
  }

  #showing(): Showing {
    const { on, onlyWrong } = this.#legend;
    return { on, onlyWrong, selected: new Set(this.#selected.value), found: this.#finder.found };
  }

  /** What a file is made of. */
  #shown({ key }: PointsBlock): Shown {
    const [stage, header, columns] = [this.#stage, this.#header, this.#columns];
    return { stage, name: key, header, columns, showing: this.#showing(), counts: this.#counts() };
  }

  #restyle(): void {
    this.#stage.setShowing(this.#showing());
    this.#drawnFor = "";
  }

  #row(index: number | null): number {
    return index === null ? -1 : Array.prototype.indexOf.call(this.#cloud.indices, index);
  }

  /** Marks the sample looked at, and leads lines to those near it as long as they are known. */
  #look(): void {
    const sample = this.#sample.value;
    const near = sample === (this.#data?.sample ?? null) ? Array.from(this.#data?.near?.data ?? []) : [];
    this.#stage.look(this.#row(sample), near);
  }

  #find(): void {
    this.#finder.find(this.#cloud, this.#columns);
  }

  #choose(row: number): void {
    const index = this.#cloud.indices[row] as number;
    this.#sample.set(index);
    this.#look();
    this.#drawnFor = "";
    this.#host.click({ sample: index });
    this.#host.panel.redraw();
  }

  #select(samples: number[]): void {
    this.#selected.set(samples);
    this.#host.click({ samples });
    this.#restyle();
  }

  #selectRows(rows: readonly number[], mode: SelectMode): void {
    const hits = rows.map((row) => this.#cloud.indices[row] as number);
    this.#select(combine(this.#selected.value, hits, mode));
  }

  /** Rings a row and shows its card; -1 for none. */
  #point(row: number): void {
    if (row !== this.#stage.hovered) this.#host.panel.redraw();
    this.#stage.hovered = row;
    this.#overlay.dataset["hovered"] = row < 0 ? "" : String(this.#cloud.indices[row]);
    this.#tell(row);
  }

  /** The card beside a row, as long as that is in sight. */
  #tell(row: number): void {
    const [xy, { width, height }] = [this.#stage.screen(), this.#stage.size];
    const [x, y] = [xy[2 * row] ?? -1, xy[2 * row + 1] ?? -1];
    const { card } = this.#host.panel;
    const inSight = x >= 0 && y >= 0 && x <= width && y <= height;
    if (this.#told && !inSight) card.hide();
    this.#told = inSight;
    if (!inSight) return;
    const { left, top } = this.#overlay.getBoundingClientRect();
    const lines = cardOf(this.#cloud, this.#columns, row);
    card.show(this.#cloud.indices[row] as number, { x: left + x, y: top + y, width: 0, height: 0 }, lines, (size) => {
      const at = placeCard(x, y, size, this.#stage.size, this.#stage.count);
      return { x: left + at.left, y: top + at.top };
    });
  }

  /** Keys of the block; those of the canvas only while it has the focus, so that buttons and slider keep theirs. */
  #key(event: KeyboardEvent): boolean {
    const tool = ({ p: "pan", b: "box", l: "lasso" } as const)[event.key.toLowerCase()];
    if (tool) this.#tools.choose(tool);
    else if (event.key.toLowerCase() === "f") this.#stage.steer((view) => view.fit());
    else if (event.key === "/") this.#finder.focus();
    else if (event.key === "Escape") this.#escape();
    else return event.target === this.#overlay && this.#canvasKey(event);
    return true;
  }

  #canvasKey(event: KeyboardEvent): boolean {
    const stage = this.#stage;
    const [zoom, arrow] = [ZOOM_KEYS[event.key], ARROWS[event.key]];
    if (event.key === " ") this.#gestures.holdSpace(true);
    else if (event.key === "Enter" && stage.hovered >= 0) this.#choose(stage.hovered);
    else if (zoom) stage.steer((view) => view.zoom(zoom, view.size.width / 2, view.size.height / 2));
    else if (arrow) {
      const next = stage.towards(stage.hovered >= 0 ? stage.hovered : stage.sample, arrow[0], arrow[1]);
      if (next >= 0) this.#point(next);
    } else return false;
    return true;
  }

  #escape(): void {
    if (this.#gestures.cancel()) return;
    if (this.#selected.value.length > 0) this.#select([]);
    else if (this.#stage.hovered >= 0) this.#point(-1);
  }
}

export const makePoints: MakeBlock<PointsBlock> = (host) => new PointsView(host);
