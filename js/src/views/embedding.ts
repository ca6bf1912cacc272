/** The embedding view: a point cloud with its legend, tools, hover card and the strip of selected samples. */

import { HoverCard, CARD } from "../embedding/card.ts";
import { type Cloud, type EmbeddingHeader, EMPTY_CLOUD, NO_CLASS, readCloud } from "../embedding/cloud.ts";
import { Gestures } from "../embedding/gestures.ts";
import { KeptMaps } from "../embedding/kept.ts";
import { placeCard } from "../embedding/labels.ts";
import { Legend } from "../embedding/legend.ts";
import { sameIds } from "../embedding/motion.ts";
import { type SelectMode, combine } from "../embedding/picking.ts";
import { Stage } from "../embedding/stage.ts";
import { Strip } from "../embedding/strip.ts";
import { makeSaveMenu } from "../embedding/menu.ts";
import { save } from "../embedding/save.ts";
import { Tools } from "../embedding/tools.ts";
import { make } from "../kernel/dom.ts";
import { formatCount, formatValue } from "../kernel/format.ts";
import { bindKeys } from "../kernel/keys.ts";
import {
  type CommonHeader,
  type Frame,
  type NdArray,
  type Panel,
  type PanelView,
  definePanel,
} from "../kernel/panel.ts";

const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const ZOOM_KEYS: Record<string, number> = { "+": 1.25, "=": 1.25, "-": 0.8 };

class EmbeddingView implements PanelView<EmbeddingHeader> {
  #header: EmbeddingHeader | null = null;
  #cloud: Cloud = EMPTY_CLOUD;
  #pictures: NdArray | undefined;
  #selected: number[] = [];
  /** The selection Python told last: only a different one is news, so that a late frame does not undo a lasso. */
  #told: readonly number[] = [];
  #sample: number | null = null;
  #lossTop: number | null = null;
  #wordsKey = "";
  readonly #overlay = make("canvas", "nnw-cloud-marks");
  readonly #stage: Stage;
  readonly #card: HoverCard;
  readonly #legend: Legend;
  readonly #strip: Strip;
  readonly #kept: KeptMaps;
  readonly #tools: Tools;
  readonly #gestures: Gestures;
  readonly #panel: Panel;

  constructor(panel: Panel) {
    this.#panel = panel;
    const frame = make("div", "nnw-cloud", this.#overlay);
    this.#stage = new Stage(frame, this.#overlay, () => panel.redraw());
    this.#card = new HoverCard((index) => panel.ask("card", { index }));
    this.#legend = new Legend(panel.listen, () => this.#restyle());
    this.#strip = new Strip(
      panel.listen,
      (index) => this.#choose(index),
      () => this.#select([]),
    );
    this.#kept = new KeptMaps(panel.listen, (page) => panel.command("page", { page }));
    this.#tools = new Tools(
      panel.listen,
      () => this.#stage.fit(),
      () => this.#gestures?.cursor(),
    );
    this.#gestures = new Gestures(this.#overlay, this.#gestureTarget(), panel.listen);
    this.#gestures.cursor();
    frame.append(this.#card.element);
    const main = make("div", "nnw-cloud-column", frame, this.#kept.element);
    panel.widget.classList.add("nnw-embedding-panel");
    panel.root.append(make("div", "nnw-cloud-row", main, this.#legend.element), this.#strip.element);
    const saveMenu = makeSaveMenu(panel.listen, (kind) => {
      if (this.#header) save(kind, this.#stage, this.#header, this.#selected, panel.theme());
    });
    this.#tools.element.append(saveMenu);
    panel.widget.querySelector(".nnw-right")?.append(this.#tools.element);
    this.#overlay.tabIndex = 0;
    this.#overlay.setAttribute("role", "application");
    bindKeys(panel.root, panel.listen, (event) => this.#key(event));
    panel.onDispose(() => {
      this.#stage.dispose();
      this.#kept.stop();
      this.#card.hide();
    });
  }

  frame(frame: Frame<EmbeddingHeader>): void {
    const cloud = readCloud(frame);
    const newStep = frame.header.step !== this.#header?.step;
    this.#header = frame.header;
    this.#pictures = frame.arrays["strip"];
    this.#adopt(frame.header);
    if (cloud) {
      const hovered = this.#stage.hovered >= 0 ? this.#cloud.indices[this.#stage.hovered] : undefined;
      this.#cloud = cloud;
      this.#legend.update(cloud.classes, this.#counts(), this.#panel.theme());
      this.#lossTop = this.#lossScale();
      this.#stage.show(cloud, this.#showing(), this.#lossTop);
      if (hovered !== undefined) this.#stage.hovered = this.#row(hovered);
    }
    this.#stage.sample = this.#row(this.#sample);
    this.#kept.update(frame.header.kept);
    if (newStep) this.#card.refresh();
    this.#wordsKey = "";
  }

  state(header: CommonHeader): void {
    const before = this.#selected;
    this.#adopt(header);
    this.#stage.sample = this.#row(this.#sample);
    if (before !== this.#selected) this.#restyle();
    this.#wordsKey = "";
  }

  draw(): void {
    const theme = this.#panel.theme();
    this.#stage.draw(theme);
    if (this.#stage.hovered < 0) this.#card.hide();
    const key = `${theme.dark} ${this.#panel.width()}`;
    if (key === this.#wordsKey) return;
    this.#wordsKey = key;
    this.#legend.update(this.#cloud.classes, this.#counts(), theme);
    this.#legend.scale(this.#lossTop, theme);
    const [selected, width] = [this.#selected, this.#panel.width()];
    const [entries, pictures] = [this.#header?.strip ?? [], this.#pictures];
    this.#strip.update({ entries, pictures, selected, sample: this.#sample, width });
    this.#overlay.dataset["step"] = String(this.#header?.step ?? "");
    this.#overlay.dataset["selected"] = String(selected.length);
    this.#overlay.setAttribute("aria-label", this.#summary());
  }

  #summary(): string {
    const { n, classes } = this.#cloud;
    const words = [
      `Map of ${formatCount(n)} samples of ${this.#header?.title ?? "the layer"}`,
      `${classes.length} classes`,
      `${formatCount(this.#counts().wrong)} wrong`,
      `${formatCount(this.#selected.length)} selected`,
    ];
    return `${words.join(", ")}. Arrow keys walk the points, Enter looks at one; P, B, L choose the tool, F shows all.`;
  }

  #counts(): { wrong: number; selected: number } {
    return { wrong: this.#header?.counts?.wrong ?? 0, selected: this.#selected.length };
  }

  #showing(): { on: readonly boolean[]; onlyWrong: boolean; selected: ReadonlySet<number> } {
    return { on: this.#legend.on, onlyWrong: this.#legend.onlyWrong, selected: new Set(this.#selected) };
  }

  #restyle(): void {
    this.#stage.setShowing(this.#showing());
    this.#wordsKey = "";
  }

  #row(index: number | null): number {
    return index === null ? -1 : Array.prototype.indexOf.call(this.#cloud.indices, index);
  }

  #adopt(header: CommonHeader): void {
    const told = header.selection?.selected ?? [];
    if (!sameIds(told, this.#told)) {
      this.#told = told;
      this.#selected = [...told];
    }
    this.#sample = header.selection?.sample ?? null;
  }

  /** Top of the colour scale when points are coloured by their loss: it only grows while the choice stands. */
  #lossScale(): number | null {
    const option = this.#header?.options?.find((each) => each.name === "color");
    if (option?.value !== "loss") return null;
    let top = this.#lossTop ?? 0;
    for (let i = 0; i < this.#cloud.n; i++) {
      const loss = this.#cloud.loss[i] as number;
      if (Number.isFinite(loss) && loss > top) top = loss;
    }
    return top;
  }

  #choose(index: number): void {
    this.#sample = index;
    this.#stage.sample = this.#row(index);
    this.#wordsKey = "";
    this.#panel.command("select", { sample: index });
    this.#panel.redraw();
  }

  #select(selected: number[]): void {
    this.#selected = selected;
    this.#panel.command("select", { selected });
    this.#restyle();
  }

  #selectRows(rows: readonly number[], mode: SelectMode): void {
    const hits = rows.map((row) => this.#cloud.indices[row] as number);
    this.#select(combine(this.#selected, hits, mode));
  }

  /** Rings a row and shows its card; -1 for none. */
  #point(row: number): void {
    if (row !== this.#stage.hovered) this.#panel.redraw();
    this.#stage.hovered = row;
    this.#overlay.dataset["hovered"] = row < 0 ? "" : String(this.#cloud.indices[row]);
    if (row < 0) {
      this.#card.hide();
      return;
    }
    const xy = this.#stage.screen();
    const [x, y] = [xy[2 * row] as number, xy[2 * row + 1] as number];
    const index = this.#cloud.indices[row] as number;
    const label = this.#cloud.labels[row] as number;
    const loss = this.#cloud.loss[row] as number;
    const lines: [string, string][] = [];
    if (label !== NO_CLASS) lines.push(["label", this.#cloud.classes[label]?.name ?? String(label)]);
    if (Number.isFinite(loss)) lines.push(["loss", formatValue(loss)]);
    const at = placeCard(x, y, CARD, this.#stage.size, this.#stage.count);
    this.#card.show(index, { title: `Sample ${formatCount(index)}`, lines }, at);
  }

  #gestureTarget(): ConstructorParameters<typeof Gestures>[1] {
    const stage = this.#stage;
    return {
      tool: () => this.#tools.current,
      turns: () => stage.turns,
      hover: (x, y) => this.#point(stage.pick(x, y)),
      leave: () => this.#point(-1),
      click: (x, y, mode) => {
        const row = stage.pick(x, y);
        if (row < 0) return;
        if (mode === "replace") this.#choose(this.#cloud.indices[row] as number);
        else this.#selectRows([row], mode);
      },
      pan: (dx, dy) => stage.pan(dx, dy),
      orbit: (dx, dy) => stage.orbit(dx, dy),
      outline: (polygon) => {
        stage.outline = polygon;
        this.#panel.redraw();
      },
      select: (polygon, mode) => this.#selectRows(stage.rowsInside(polygon), mode),
      zoom: (factor, x, y) => {
        this.#point(-1);
        stage.zoom(factor, x, y);
      },
    };
  }

  /** Keys of the view; those of the canvas only while it has the focus, so that buttons and slider keep theirs. */
  #key(event: KeyboardEvent): boolean {
    const tool = ({ p: "pan", b: "box", l: "lasso" } as const)[event.key.toLowerCase()];
    if (tool) this.#tools.choose(tool);
    else if (event.key.toLowerCase() === "f") this.#stage.fit();
    else if (event.key === "Escape") this.#escape();
    else return event.target === this.#overlay && this.#canvasKey(event);
    return true;
  }

  #canvasKey(event: KeyboardEvent): boolean {
    const stage = this.#stage;
    const [zoom, arrow] = [ZOOM_KEYS[event.key], ARROWS[event.key]];
    if (event.key === " ") this.#gestures.holdSpace(true);
    else if (event.key === "Enter" && stage.hovered >= 0) this.#choose(this.#cloud.indices[stage.hovered] as number);
    else if (zoom) stage.zoom(zoom, stage.size.width / 2, stage.size.height / 2);
    else if (arrow) {
      const next = stage.towards(stage.hovered >= 0 ? stage.hovered : stage.sample, arrow[0], arrow[1]);
      if (next >= 0) this.#point(next);
    } else return false;
    return true;
  }

  #escape(): void {
    if (this.#gestures.cancel()) return;
    if (this.#stage.hovered >= 0 && this.#selected.length === 0) this.#point(-1);
    else if (this.#selected.length > 0) this.#select([]);
  }
}

export default definePanel<EmbeddingHeader>((panel) => new EmbeddingView(panel));
