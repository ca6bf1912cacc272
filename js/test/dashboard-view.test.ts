import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import dashboard from "../src/views/dashboard.ts";
import { type Frames, type Host, fakeFrames, mount } from "./host.ts";

let frames: Frames;
let host: Host;
let seq = 0;

function open(part: string, header: object): void {
  host = mount(dashboard, { part });
  send(header);
}
function send(header: object): void {
  const full = { title: "", step: 3, ...header };
  host.model.receive({ kind: "frame", seq: ++seq, channel: "picture", header: full, arrays: [] });
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
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

describe("the list of layers", () => {
  const row = (name: string, depth = 0, group = false, dead = 0): object => {
    const [units, alive] = [group ? null : 32, dead ? 1 - dead / 32 : null];
    return { name, short: name.split(".").at(-1), depth, group, units, alive, dead };
  };
  const rows = [row("conv1"), row("block", 0, true), row("block.relu", 1, false, 2), row("block.pool", 1), row("fc")];
  const names = (): (string | undefined)[] => all(".nnw-tree > :not([hidden])").map(({ title }) => title);
  const item = (name: string): HTMLElement => all(".nnw-layer").find(({ title }) => title === name)!;
  const selected = (): (string | undefined)[] => all('[aria-selected="true"]').map(({ title }) => title);

  beforeEach(() => open("layers", { rows, note: "† dead", selected: "conv1" }));

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
    expect((document.activeElement as HTMLElement).title).toBe("block");
    press(document.activeElement!, "ArrowLeft");
    expect(names()).toEqual(["conv1", "block", "fc"]);
    press(document.activeElement!, "End");
    expect(selected()).toEqual(["fc"]);
  });

  test("there is one tab stop, and it follows the selection made elsewhere", () => {
    send({ rows, note: "", selected: "block.relu" });
    expect(all('.nnw-tree [tabindex="0"]').map(({ title }) => title)).toEqual(["block.relu"]);
  });

  test("a refresh keeps what is folded and where the focus is", () => {
    item("block").click();
    item("fc").focus();
    send({ rows: rows.map((each) => ({ ...each, dead: 1, alive: 0.5 })), note: "", selected: "conv1" });
    expect(names()).toEqual(["conv1", "block", "fc"]);
    expect((document.activeElement as HTMLElement).title).toBe("fc");
  });

  test("dead units are counted in words too", () => {
    expect(item("block.relu").textContent).toContain("2†");
    expect(item("block.relu").getAttribute("aria-label")).toBe("block.relu, 32 units, 2 dead");
    expect(item("conv1").querySelector(".nnw-known")).toBeNull();
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
  const tabs = ["activations", "filters", "occlusion"].map((name) => ({ name, label: name }));
  beforeEach(() => open("tabs", { tabs, selected: "filters" }));
  const chosen = (): (string | null)[] => all('[aria-selected="true"]').map((tab) => tab.textContent);

  test("a click chooses, and the chosen one asks for nothing", () => {
    all(".nnw-tab")[2]!.click();
    all(".nnw-tab")[2]!.click();
    expect(chosen()).toEqual(["occlusion"]);
    expect(commands()).toEqual([["tab", { tab: "occlusion" }]]);
  });

  test("arrow keys walk along the tabs and stop at the ends", () => {
    all(".nnw-tab")[1]!.focus();
    for (const key of ["ArrowLeft", "ArrowLeft", "ArrowRight"]) press(document.activeElement!, key);
    expect(commands()).toEqual([["tab", { tab: "activations" }], ["tab", { tab: "filters" }]]);
    expect((document.activeElement as HTMLElement).textContent).toBe("filters");
  });
});

test("an unknown part is refused by name", () => {
  expect(() => mount(dashboard, { part: "clock" })).toThrow(/status, layers, tabs, got clock/);
});
