/** The embedding view: a point cloud with its legend, tools, hover card and the strip of selected samples. */

import { Appearance } from "../embedding/appearance.ts";
import { HoverCard, cardSize } from "../embedding/card.ts";
import { type Cloud, type EmbeddingHeader, type Showing, readCloud } from "../embedding/cloud.ts";
import { Finder } from "../embedding/finder.ts";
import { Gestures } from "../embedding/gestures.ts";
import { KeptMaps } from "../embedding/kept.ts";
import { placeCard } from "../embedding/labels.ts";
import { Legend } from "../embedding/legend.ts";
import { Picked } from "../embedding/picked.ts";
import { type SelectMode, combine } from "../embedding/picking.ts";
import { Near, type NeighboursHeader } from "../embedding/near.ts";
import { pointingAt } from "../embedding/pointing.ts";
import { Stage } from "../embedding/stage.ts";
import { Strip } from "../embedding/strip.ts";
import { makeSaveMenu } from "../embedding/menu.ts";
import { type Shown, save } from "../embedding/save.ts";
import { Tools } from "../embedding/tools.ts";
import { type TrailsHeader, readTrails } from "../embedding/trails.ts";
import { cardOf, colourWords, summaryOf } from "../embedding/words.ts";
import { make } from "../kernel/dom.ts";
import { bindKeys } from "../kernel/keys.ts";
import { type CommonHeader, type Frame, type Panel, type PanelView, definePanel } from "../kernel/panel.ts";
import { Shared } from "../kernel/shared.ts";

const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
/** The options that stand beside what explains them. */
const OWN_OPTIONS = ["size", "trails"];
const ZOOM_KEYS: Record<string, number> = { "+": 1.25, "=": 1.25, "-": 0.8 };

class EmbeddingView implements PanelView<EmbeddingHeader> {
  #header: EmbeddingHeader | null = null;
  readonly #sample = new Shared<number | null>(null, Object.is);
  #wordsKey = "";
  readonly #appearance = new Appearance();
  readonly #picked = new Picked();
  readonly #finder: Finder;
  readonly #overlay = make("canvas", "nnw-cloud-marks");
  readonly #stage: Stage;
  readonly #card: HoverCard;
  readonly #legend: Legend;
  readonly #strip: Strip;
  readonly #near: Near;
  readonly #kept: KeptMaps;
  readonly #tools: Tools;
  readonly #gestures: Gestures;
  readonly #panel: Panel;

  constructor(panel: Panel) {
    this.#panel = panel;
    const frame = make("div", "nnw-cloud", this.#overlay);
    this.#stage = new Stage(frame, this.#overlay, () => panel.redraw());
    this.#card = new HoverCard((index) => panel.ask("card", { index }));
    this.#legend = new Legend(
      panel.listen,
      () => this.#restyle(),
      (name, value) => panel.command("option", { name, value }),
    );
    this.#strip = new Strip(
      panel.listen,
      (index) => this.#choose(index),
      () => this.#select([]),
    );
    this.#near = new Near(panel.listen, (index) => this.#choose(index));
    this.#kept = new KeptMaps(
      panel.listen,
      (position) => panel.command("map", { position }),
      (on) => panel.command("option", { name: "trails", value: on }),
    );
    this.#tools = new Tools(
      panel.listen,
      () => this.#stage.steer((view) => view.fit()),
      () => this.#gestures?.cursor(),
    );
    this.#finder = new Finder(panel.listen, {
      search: () => {
        this.#find();
        this.#restyle();
      },
      select: (rows) => this.#selectRows(rows, "replace"),
      leave: () => this.#overlay.focus({ preventScroll: true }),
    });
    const pointing = pointingAt(this.#stage, this.#tools, {
      point: (row) => this.#point(row),
      choose: (row) => this.#choose(this.#cloud.indices[row] as number),
      select: (rows, mode) => this.#selectRows(rows, mode),
      redraw: () => panel.redraw(),
    });
    this.#gestures = new Gestures(this.#overlay, pointing, panel.listen);
    this.#gestures.cursor();
    frame.append(this.#card.element);
    const main = make("div", "nnw-cloud-column", frame, this.#kept.element);
    panel.widget.classList.add("nnw-embedding-panel");
    this.#legend.element.prepend(this.#finder.element);
    panel.root.append(make("div", "nnw-cloud-row", main, this.#legend.element), this.#near.element, this.#strip.element);
    const saveMenu = makeSaveMenu(panel.listen, (kind) => {
      if (this.#header) save(kind, this.#shown(this.#header), panel.theme());
    });
    this.#tools.element.append(saveMenu);
    panel.widget.querySelector(".nnw-right")?.append(this.#tools.element);
    this.#overlay.tabIndex = 0;
    this.#overlay.role = "application";
    bindKeys(panel.widget, panel.listen, (event) => this.#key(event));
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
    this.#appearance.adopt(frame.header);
    if (cloud) {
      const hovered = this.#stage.hovered >= 0 ? this.#cloud.indices[this.#stage.hovered] : undefined;
      this.#appearance.dress(cloud);
      this.#find();
      this.#updateLegend();
      this.#stage.show(this.#appearance.looks, this.#showing());
      if (hovered !== undefined) this.#stage.hovered = this.#row(hovered);
    }
    this.#adoptSample(frame.header);
    this.#kept.update(frame.header.kept);
    if (newStep) this.#card.refresh();
    this.#wordsKey = "";
  }

  part(frame: Frame<CommonHeader>): void {
    if (frame.channel === "metadata") {
      this.#appearance.say(frame);
      this.#redress();
    } else if (frame.channel === "neighbours") {
      this.#near.adopt(frame as Frame<NeighboursHeader>);
      this.#adoptSample(frame.header);
    } else if (frame.channel === "trails") this.#stage.trails = readTrails(frame as Frame<TrailsHeader>);
    else if (this.#picked.adopt(frame)) this.#restyle();
    this.#wordsKey = "";
  }

  state(header: CommonHeader): void {
    this.#adoptSample(header);
    if (this.#appearance.adopt(header)) this.#redress();
    this.#wordsKey = "";
  }

  draw(): void {
    const theme = this.#panel.theme();
    this.#stage.draw(theme);
    if (!this.#stage.moving || this.#stage.hovered < 0) this.#tell(this.#stage.hovered);
    const key = `${theme.dark} ${this.#panel.width()}`;
    if (key === this.#wordsKey) return;
    this.#wordsKey = key;
    this.#updateLegend();
    const { options = [] } = this.#panel.connection.header ?? {};
    this.#legend.controls.update(options.filter(({ name }) => name === "size"));
    this.#kept.trails = options.some(({ name, value }) => name === "trails" && value === true);
    const { indices: selected, strip: entries, pictures } = this.#picked;
    const said = (index: number): readonly [string, string] | null => colourWords(this.#appearance.looks, this.#row(index));
    this.#strip.update({ entries, pictures, selected, sample: this.#sample.value, width: this.#panel.width(), said });
    this.#overlay.dataset["step"] = String(this.#header?.step ?? "");
    this.#overlay.dataset["selected"] = String(selected.length);
    this.#overlay.ariaLabel = summaryOf(this.#cloud, this.#header?.title ?? "the layer", this.#counts());
  }

  get #cloud(): Cloud {
    return this.#appearance.looks.cloud;
  }

  #counts(): { wrong: number; selected: number } {
    return { wrong: this.#header?.counts?.wrong ?? 0, selected: this.#picked.indices.length };
  }

  #updateLegend(): void {
    this.#legend.update(this.#appearance.looks, this.#counts(), this.#panel.theme());
  }

  #showing(): Showing {
    const { on, onlyWrong } = this.#legend;
    return { on, onlyWrong, selected: this.#picked.set, found: this.#finder.found };
  }

  /** What a file is made of. */
  #shown(header: EmbeddingHeader): Shown {
    const { looks, columns } = this.#appearance;
    return { stage: this.#stage, header, looks, columns, showing: this.#showing(), counts: this.#counts() };
  }

  /** The same map in other colours or sizes. */
  #redress(): void {
    this.#find();
    this.#updateLegend();
    this.#stage.paint(this.#appearance.looks, this.#showing());
  }

  #restyle(): void {
    this.#stage.setShowing(this.#showing());
    this.#wordsKey = "";
  }

  #row(index: number | null): number {
    return index === null ? -1 : Array.prototype.indexOf.call(this.#cloud.indices, index);
  }

  #adoptSample(header: CommonHeader): void {
    this.#sample.hear(header.selection?.sample ?? null);
    this.#look();
  }

  #look(): void {
    const near = this.#near.of(this.#sample.value).map((index) => this.#row(index));
    this.#stage.look(this.#row(this.#sample.value), near);
  }

  #find(): void {
    this.#finder.find(this.#cloud, this.#appearance.columns);
  }

  #choose(index: number): void {
    this.#sample.set(index);
    this.#look();
    this.#wordsKey = "";
    this.#panel.command("select", { sample: index });
    this.#panel.redraw();
  }

  #select(selected: number[]): void {
    this.#picked.pick(selected);
    this.#panel.command("select", { selected });
    this.#restyle();
  }

  #selectRows(rows: readonly number[], mode: SelectMode): void {
    const hits = rows.map((row) => this.#cloud.indices[row] as number);
    this.#select(combine(this.#picked.indices, hits, mode));
  }

  /** Rings a row and shows its card; -1 for none. */
  #point(row: number): void {
    if (row !== this.#stage.hovered) this.#panel.redraw();
    this.#stage.hovered = row;
    this.#overlay.dataset["hovered"] = row < 0 ? "" : String(this.#cloud.indices[row]);
    this.#tell(row);
  }

  /** The card beside a row, as long as that is in sight. */
  #tell(row: number): void {
    const [xy, { width, height }] = [this.#stage.screen(), this.#stage.size];
    const [x, y] = [xy[2 * row] ?? -1, xy[2 * row + 1] ?? -1];
    if (x < 0 || y < 0 || x > width || y > height) {
      this.#card.hide();
      return;
    }
    const index = this.#cloud.indices[row] as number;
    const card = cardSize(this.#appearance.columns.length);
    const at = placeCard(x, y, card, this.#stage.size, this.#stage.count);
    this.#card.show(index, cardOf(this.#cloud, this.#appearance.columns, row), at);
  }

  /** Keys of the view; those of the canvas only while it has the focus, so that buttons and slider keep theirs. */
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
    else if (event.key === "Enter" && stage.hovered >= 0) this.#choose(this.#cloud.indices[stage.hovered] as number);
    else if (zoom) stage.steer((view) => view.zoom(zoom, view.size.width / 2, view.size.height / 2));
    else if (arrow) {
      const next = stage.towards(stage.hovered >= 0 ? stage.hovered : stage.sample, arrow[0], arrow[1]);
      if (next >= 0) this.#point(next);
    } else return false;
    return true;
  }

  #escape(): void {
    if (this.#gestures.cancel()) return;
    if (this.#stage.hovered >= 0 && this.#picked.indices.length === 0) this.#point(-1);
    else if (this.#picked.indices.length > 0) this.#select([]);
  }
}

export default definePanel<EmbeddingHeader>((panel) => new EmbeddingView(panel), { ownOptions: OWN_OPTIONS });
