import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { buildDashboard } from "../src/dashboard/dashboard.ts";
import { definePanel } from "../src/kernel/panel.ts";
import { type Frames, type Host, fakeFrames, mount } from "./host.ts";

let frames: Frames;
let host: Host;
let channel = "";
let seq = 0;

function open(part: string, header: object): void {
  host = mount(definePanel(buildDashboard, { head: false }));
  channel = part;
  send(header);
}
function send(header: object): void {
  const full = { title: "", step: 3, ...header };
  host.model.receive({ kind: "frame", seq: ++seq, channel, header: full, arrays: [] });
  frames.run();
}
const all = (selector: string): HTMLElement[] => [...host.el.querySelectorAll<HTMLElement>(selector)];
const commands = (): unknown[] => host.model.of("command").map(({ name, value }) => [name, value]);
function press(target: Element, key: string): void {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

beforeEach(() => {
  vi.useFakeTimers();
  frames = fakeFrames();
});
afterEach(() => {
  host.unmount();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

describe("the list of layers", () => {
  const row = (name: string, depth = 0, group = false, dead = 0): object => {
    const [units, alive] = [group ? null : 32, dead ? 1 - dead / 32 : null];
    return { name, short: name.split(".").at(-1), depth, group, units, alive, dead, type: group ? "" : "ReLU" };
  };
  const rows = [row("conv1"), row("block", 0, true), row("block.relu", 1, false, 2), row("block.pool", 1), row("fc")];
  const names = (): (string | undefined)[] => all(".nnw-tree > *").flatMap(({ hidden, dataset }) => (hidden ? [] : [dataset.name]));
  const item = (name: string): HTMLElement => all(".nnw-layer").find(({ dataset }) => dataset.name === name)!;
  const selected = (): (string | undefined)[] => all('[aria-selected="true"]').map(({ dataset }) => dataset.name);

  beforeEach(() => open("layers", { rows, note: "† never fire", selected: "conv1" }));

  test("a click selects a layer at once and tells Python", () => {
    item("fc").click();
    expect(selected()).toEqual(["fc"]);
    expect(commands()).toEqual([["select", { layer: "fc" }]]);
  });

  test("a click on a group folds it and selects nothing", () => {
    item("block").click();
    expect(names()).toEqual(["conv1", "block", "fc"]);
    expect(item("block").getAttribute("aria-expanded")).toBe("false");
    expect(commands()).toEqual([]);
  });

  test("arrow keys walk over what is on show, Left folds and climbs", () => {
    item("conv1").focus();
    for (const key of ["ArrowDown", "ArrowDown", "ArrowDown"]) press(document.activeElement!, key);
    expect(selected()).toEqual(["block.pool"]);
    press(document.activeElement!, "ArrowLeft");
    expect((document.activeElement as HTMLElement).dataset.name).toBe("block");
    press(document.activeElement!, "ArrowLeft");
    expect(names()).toEqual(["conv1", "block", "fc"]);
    press(document.activeElement!, "End");
    expect(selected()).toEqual(["fc"]);
  });

  test("there is one tab stop, and it follows the selection made elsewhere", () => {
    send({ rows, note: "", selected: "block.relu" });
    expect(all('.nnw-tree [tabindex="0"]').map(({ dataset }) => dataset.name)).toEqual(["block.relu"]);
  });

  test("a refresh keeps what is folded and where the focus is", () => {
    item("block").click();
    item("fc").focus();
    send({ rows: rows.map((each) => ({ ...each, dead: 1, alive: 0.5 })), note: "", selected: "conv1" });
    expect(names()).toEqual(["conv1", "block", "fc"]);
    expect((document.activeElement as HTMLElement).dataset.name).toBe("fc");
  });

  test("dead units are counted in words too", () => {
    expect(item("block.relu").textContent).toContain("2†");
    expect(item("block.relu").getAttribute("aria-label")).toBe("block.relu, ReLU, 32 units, 2 never fire");
    expect(item("block.relu").title).toBe("block.relu · ReLU");
    expect(item("conv1").querySelector(".nnw-known")).toBeNull();
  });

  test("a list of many layers has a search, which opens what is folded and folds it again", () => {
    const search = host.el.querySelector<HTMLInputElement>(".nnw-layer-search")!;
    const find = (text: string): void => {
      search.value = text;
      search.dispatchEvent(new Event("input"));
    };
    expect(search.hidden).toBe(true);
    const many = Array.from({ length: 30 }, (_, k) => row(`tail${k}`));
    send({ rows: [...rows, ...many], note: "", selected: "conv1" });
    expect(search.hidden).toBe(false);
    item("block").click();
    find("Block.P");
    expect(names()).toEqual(["block", "block.pool"]);
    find("no such");
    expect([names(), host.el.querySelector(".nnw-layer-list [role=status]")?.textContent]).toEqual([
      [],
      "No layer has this in its name or type.",
    ]);
    find("");
    expect(names().slice(0, 3)).toEqual(["conv1", "block", "fc"]);
  });

  test("the dropdown holds the layers alone, and its arrows stop at the ends", () => {
    const list = host.el.querySelector("select")!;
    expect([...list.options].map(({ value }) => value)).toEqual(["conv1", "block.relu", "block.pool", "fc"]);
    const [previous, next] = all(".nnw-step") as HTMLButtonElement[];
    expect(previous!.disabled).toBe(true);
    next!.click();
    expect(list.value).toBe("block.relu");
    expect(commands()).toEqual([["select", { layer: "block.relu" }]]);
  });
});

describe("the status strip", () => {
  const header = {
    items: [
      { name: "step", label: "Step", value: "1 240" },
      { name: "loss", label: "Loss", value: "0.0124" },
      { name: "refreshed", label: "Refreshed", value: "now" },
    ],
    spark: [1, 0.5, 0.1],
    cost: { share: 0.018, budget: 0.05, text: "1.8 %", of: "of 5 %" },
    age_s: 0.4,
    paused: false,
    training: true,
  };
  beforeEach(() => open("status", header));
  const values = (): (string | null)[] => all(".nnw-item > :last-child").map((element) => element.textContent);

  test("each item stands under its label, the cost with its budget", () => {
    const labels = all(".nnw-item-label").map((element) => element.textContent);
    expect(labels).toEqual(["Step", "Loss", "Refreshed", "Cost of watching"]);
    expect(values()).toEqual(["1 240", "0.0124", "0.4\u202fs ago", "1.8 % of 5 %"]);
    expect(host.el.querySelector(".nnw-spark path")?.getAttribute("d")).toMatch(/^M0\.5 1\.0L/);
  });

  test("the age counts on when nothing comes", () => {
    vi.advanceTimersByTime(3000);
    expect(values()[2]).toBe("3.4\u202fs ago");
  });

  test("Pause becomes Resume once Python says that it is paused", () => {
    const [pause, refresh] = all(".nnw-status-actions button");
    pause!.click();
    send({ ...header, paused: true });
    expect(pause!.textContent).toBe("Resume");
    pause!.click();
    refresh!.click();
    expect(commands().map((command) => (command as [string])[0])).toEqual(["pause", "resume", "refresh"]);
  });

  test("a training that ended says so and leaves nothing to pause; paused views can still be resumed", () => {
    const [pause] = all(".nnw-status-actions button");
    const seen = (): unknown[] => [values()[0], pause!.hidden];
    send({ ...header, training: false });
    expect(seen()).toEqual(["1 240 training ended", true]);
    send({ ...header, training: false, paused: true });
    expect([...seen(), pause!.textContent]).toEqual(["1 240 training ended", false, "Resume"]);
    send({ ...header, training: false, step: 0 });
    expect(seen()).toEqual(["1 240", true]);
    send(header);
    expect(seen()).toEqual(["1 240", false]);
  });

  test("a note on how the model is looked at is plain text, and gone with its reason", () => {
    send({ ...header, note: "<b>bfloat16</b>" });
    const note = host.el.querySelector<HTMLElement>(".nnw-status-note")!;
    expect([note.hidden, note.textContent]).toEqual([false, "<b>bfloat16</b>"]);
    send(header);
    expect(note.hidden).toBe(true);
  });

  test("a warning is announced as text", () => {
    send({ ...header, warning: "<i>changed</i>" });
    const warning = host.el.querySelector<HTMLElement>("[role=alert]")!;
    expect([warning.hidden, warning.textContent]).toEqual([false, "<i>changed</i>"]);
  });
});

describe("the tabs", () => {
  const tab = (name: string, group: string, reason = ""): object => ({ name, title: name.toUpperCase(), group, reason });
  const tabs = [
    tab("maps", "Layers"),
    tab("kernels", "Layers"),
    tab("best", "Units", "needs class scores"),
    tab("cloud", "Model"),
    tab("loss", "Model"),
  ];
  const header = { tabs, tab: "kernels", beside: null, opened: ["kernels"], errors: {} };
  beforeEach(() => open("tabs", header));

  const strip = (k: number): HTMLElement => all(".nnw-tab-row")[k]!;
  const tabOf = (title: string, k = 0): HTMLElement =>
    [...strip(k).querySelectorAll<HTMLElement>("[role=tab]")].find(({ textContent }) => textContent === title)!;
  const chosen = (k = 0): (string | null)[] =>
    [...strip(k).querySelectorAll('[aria-selected="true"]')].map(({ textContent }) => textContent);

  test("a click chooses, and the chosen one asks for nothing", () => {
    tabOf("CLOUD").click();
    tabOf("CLOUD").click();
    expect(chosen()).toEqual(["CLOUD"]);
    expect(commands()).toEqual([["tab", { tab: "cloud" }]]);
  });

  test("arrow keys walk along the tabs and stop at the ends; there is one tab stop", () => {
    tabOf("KERNELS").focus();
    for (const key of ["ArrowLeft", "ArrowLeft", "End"]) press(document.activeElement!, key);
    expect(commands()).toEqual([["tab", { tab: "maps" }], ["tab", { tab: "loss" }]]);
    expect(document.activeElement!.textContent).toBe("LOSS");
    expect([...strip(0).querySelectorAll('[role=tab][tabindex="0"]')].map(({ textContent }) => textContent)).toEqual(["LOSS"]);
  });

  test("one whose view can't be shown says why, can be walked over and opens nothing", () => {
    const blocked = tabOf("BEST");
    expect([blocked.ariaDisabled, blocked.title, blocked.getAttribute("aria-description")]).toEqual([
      "true",
      "needs class scores",
      "needs class scores",
    ]);
    blocked.click();
    tabOf("KERNELS").focus();
    press(document.activeElement!, "ArrowRight");
    expect(document.activeElement).toBe(blocked);
    expect([chosen(), commands()]).toEqual([["KERNELS"], []]);
    press(document.activeElement!, "ArrowRight");
    expect(chosen()).toEqual(["CLOUD"]);
  });

  test("fit as they can: all with gaps between groups, else a group's, else in a menu", () => {
    const mode = (): string => strip(0).dataset.mode!;
    let room = 600;
    vi.spyOn(Element.prototype, "clientWidth", "get").mockImplementation(() => room);
    // Five tabs of 100 px; the groups take 80 px.
    vi.spyOn(Element.prototype, "scrollWidth", "get").mockReturnValue(500);
    vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockReturnValue(100);
    vi.spyOn(HTMLElement.prototype, "offsetLeft", "get").mockImplementation(function (this: HTMLElement) {
      return this.role === "tablist" ? 80 : 0;
    });
    const modes = [600, 280, 279].map((width) => {
      room = width;
      send(header);
      return mode();
    });
    vi.restoreAllMocks();
    expect(modes).toEqual(["all", "groups", "menu"]);
    expect(all(".nnw-tab-row:not([hidden]) .nnw-tab-apart").map(({ textContent }) => textContent)).toEqual(["BEST", "CLOUD"]);
    const menu = strip(0).querySelector("select")!;
    expect([...menu.querySelectorAll("optgroup")].map(({ label }) => label)).toEqual(["Layers", "Units", "Model"]);
    expect([menu.value, [...menu.options].filter(({ disabled }) => disabled).length]).toEqual(["kernels", 1]);
    menu.value = "loss";
    menu.dispatchEvent(new Event("change"));
    expect([chosen(), commands()]).toEqual([["LOSS"], [["tab", { tab: "loss" }]]]);
  });

  test("of another group are looked at without opening any", () => {
    const seen = (): (string | null)[] => all(".nnw-tab-row:not([hidden]) .nnw-tab:not(.nnw-elsewhere)").map(({ textContent }) => textContent);
    expect(seen()).toEqual(["MAPS", "KERNELS"]);
    all(".nnw-group").find(({ textContent }) => textContent === "Model")!.click();
    expect(seen()).toEqual(["CLOUD", "LOSS"]);
    expect(all('.nnw-group[aria-pressed="true"]').map(({ textContent }) => textContent)).toEqual(["Model"]);
    expect(all(".nnw-holds-chosen").map(({ textContent }) => textContent)).toEqual(["Layers"]);
    expect(commands()).toEqual([]);
    send(header);
    expect(seen()).toEqual(["CLOUD", "LOSS"]);
    tabOf("CLOUD").click();
    send({ ...header, tab: "maps" });
    expect(seen()).toEqual(["MAPS", "KERNELS"]);
  });

  test("a second view opens beside the first with tabs of its own, changes places with it, and closes", () => {
    tabOf("CLOUD").click();
    const beside = host.el.querySelector<HTMLButtonElement>(".nnw-beside")!;
    expect([beside.hidden, strip(1).hidden]).toEqual([false, true]);
    beside.click();
    expect([beside.hidden, strip(1).hidden, chosen(1)]).toEqual([true, false, ["KERNELS"]]);
    tabOf("LOSS", 1).click();
    tabOf("CLOUD", 1).click();
    expect([chosen(0), chosen(1)]).toEqual([["LOSS"], ["CLOUD"]]);
    host.el.querySelector<HTMLButtonElement>(".nnw-close")!.click();
    expect([beside.hidden, strip(1).hidden]).toEqual([false, true]);
    expect(commands().slice(1)).toEqual([
      ["beside", { tab: "kernels" }],
      ["beside", { tab: "loss" }],
      ["beside", { tab: "cloud" }],
      ["beside", { tab: null }],
    ]);
  });

  test("there is nothing to open beside where no other view works", () => {
    send({ ...header, tabs: [tabs[1], tabs[2]] });
    expect(host.el.querySelector<HTMLElement>(".nnw-beside")!.hidden).toBe(true);
  });

  test("what a view raised while it was made shows in its place, as plain text", () => {
    send({ ...header, tab: "cloud", errors: { cloud: "ValueError: <b>no</b>" } });
    const [first, second] = all("pre.nnw-error");
    expect([first!.hidden, first!.textContent, second!.hidden]).toEqual([false, "ValueError: <b>no</b>", true]);
    send(header);
    expect(first!.hidden).toBe(true);
  });

  describe("put the views, which are widgets beside the dashboard's own, into their places", () => {
    const add = (body: HTMLElement): HTMLElement => body.appendChild(document.createElement("div"));
    const placed = (views: HTMLElement[]): string[] => views.map(({ className }) => className);
    let body: HTMLElement;
    beforeEach(() => {
      body = document.createElement("div");
      body.className = "nnw-dashboard-body";
      document.body.append(body);
      body.append(host.el);
    });

    test("at once where they are there, and as soon as they arrive", async () => {
      const views = [add(body), add(body)];
      send({ ...header, opened: ["kernels", "maps"], beside: "maps" });
      expect(placed(views)).toEqual(["nnw-first", "nnw-second"]);
      expect(body.classList.contains("nnw-two")).toBe(true);
      send({ ...header, opened: ["kernels", "maps", "loss"], tab: "loss" });
      expect(placed(views)).toEqual(["", ""]);
      const late = add(body);
      await Promise.resolve();
      expect(late.className).toBe("nnw-first");
    });

    test("before Python answers, where the view was opened before", () => {
      const views = [add(body), add(body)];
      send({ ...header, opened: ["kernels", "maps"] });
      tabOf("MAPS").click();
      expect(placed(views)).toEqual(["", "nnw-first"]);
    });
  });
});
