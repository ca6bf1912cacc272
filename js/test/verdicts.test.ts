import { beforeEach, describe, expect, it } from "vitest";
import { makeVerdicts } from "../src/blocks/verdicts.ts";
import { type BlockHost, mountBlock } from "./blocks.ts";

const verdict = (level: string, text: string, more: object = {}): object => ({
  level,
  text,
  figures: "",
  reason: "",
  repair: "",
  since: "",
  place: false,
  ...more,
});
const fields = {
  findings: [
    verdict("ok", "Loss falls"),
    verdict("look", "Many dead units", { figures: "0.31 of 0.10", reason: "A <b>third</b> is dead.", since: "since 60" }),
    verdict("wrong", "No gradient", { repair: "model.fc1.requires_grad_(True)", place: true }),
    verdict("ok", "Weights finite"),
  ],
  places: [2, 1, 0, 3],
  summary: "1 wrong, 1 look, 2 ok",
  empty: "Nothing checked yet",
};
let host: BlockHost;
const shown = (): string[] => host.texts(".nnw-verdicts-text");

beforeEach(() => {
  host = mountBlock("verdicts", makeVerdicts);
  host.show(fields);
});

describe("verdicts", () => {
  it("stand worst first, and what is well is one line", () => {
    expect(shown()).toEqual(["No gradient", "Many dead units", "2 checks ok"]);
    expect(host.texts(".nnw-verdicts-figures")).toEqual(["", "0.31 of 0.10", ""]);
    expect(host.one(".nnw-verdicts-list").ariaLabel).toBe("Checks: 1 wrong, 1 look, 2 ok");
  });

  it("open to reason and repair by a click, and close by another", () => {
    host.click(host.all(".nnw-verdicts-head")[1]!);
    expect(host.texts(".nnw-verdicts-more p")).toEqual(["A <b>third</b> is dead."]);
    expect(host.all(".nnw-verdicts-row")[1]!.ariaExpanded).toBe("true");
    host.click(host.all(".nnw-verdicts-head")[1]!);
    expect(host.texts(".nnw-verdicts-more p")).toEqual([]);
    expect(host.clicks()).toEqual([]);
  });

  it("stay open when new findings come", () => {
    host.click(host.all(".nnw-verdicts-head")[1]!);
    host.show({ ...fields, findings: fields.findings.slice(0, 2), places: [1, 0], summary: "1 look, 1 ok" });
    expect(host.texts(".nnw-verdicts-more p")).toEqual(["A <b>third</b> is dead."]);
  });

  it("unfold what is well", () => {
    host.click(host.all(".nnw-verdicts-head")[2]!);
    expect(shown()).toEqual(["No gradient", "Many dead units", "2 checks ok", "Loss falls", "Weights finite"]);
  });

  it("lead to their place by its button", () => {
    host.click(host.all(".nnw-verdicts-head")[0]!);
    expect(host.texts(".nnw-verdicts-repair")).toEqual(["model.fc1.requires_grad_(True)"]);
    host.click(host.all(".nnw-verdicts-place")[0]!);
    expect(host.clicks()).toEqual([2]);
  });

  it("are a tree of one tab stop: arrows walk, right and left open and close", () => {
    const list = host.one(".nnw-verdicts-list");
    expect([list.role, list.tabIndex]).toEqual(["tree", 0]);
    host.press(list, "ArrowDown", "ArrowRight");
    expect(host.all(".nnw-verdicts-row").map((row) => row.ariaExpanded)).toEqual(["false", "true", "false"]);
    host.press(list, "ArrowLeft");
    expect(host.all(".nnw-verdicts-row")[1]!.ariaExpanded).toBe("false");
    expect(host.one(".nnw-cursor-current").ariaLabel).toBe("look, Many dead units, 0.31 of 0.10, since 60");
  });

  it("say that nothing was checked", () => {
    host.show({ ...fields, findings: [], places: [] });
    expect(host.texts(".nnw-nothing")).toEqual(["Nothing checked yet"]);
  });
});
