import { expect, test } from "vitest";
import { makeText } from "../src/blocks/text.ts";
import { mountBlock } from "./blocks.ts";

test("paragraphs are text, whatever they say, and the lead is strong", () => {
  const host = mountBlock("text", makeText);
  host.show({ paragraphs: ["Zero is the <b>ground</b>.", "Second."], lead: "How to read." });
  expect(host.texts(".nnw-text p")).toEqual(["How to read. Zero is the <b>ground</b>.", "Second."]);
  expect(host.texts(".nnw-text b")).toEqual(["How to read."]);
});

test("the same words keep their elements", () => {
  const host = mountBlock("text", makeText);
  host.show({ paragraphs: ["One"], lead: "" });
  const before = host.one(".nnw-text p");
  host.show({ paragraphs: ["One"], lead: "" });
  expect(host.one(".nnw-text p")).toBe(before);
  host.show({ paragraphs: [], lead: "" });
  expect(host.all(".nnw-text p")).toEqual([]);
});
