import { describe, expect, it } from "vitest";
import {
  type NumberFormat,
  formatAge,
  formatAgo,
  formatAs,
  formatTick,
  formatValue,
  plainDigits,
  plural,
  shortened,
} from "../src/kernel/format.ts";
// The cases that Python is held to as well.
import cases from "../../tests/number_formats.json";

const THIN = "\u202f";
type Case = [number | string, string];

const read = (value: number | string): number =>
  value === "inf" ? Infinity : value === "-inf" ? -Infinity : Number(value);

describe("numbers, as in Python", () => {
  const { tick, shortened: names, ...formats } = cases;
  describe.each(Object.entries(formats))("%s", (format, rows) => {
    it.each(rows as Case[])("%s is %s", (value, text) => {
      expect(formatAs(read(value), format as NumberFormat)).toBe(text);
    });
  });
  it.each(tick as Case[])("tick %s is %s", (value, text) => expect(formatTick(read(value))).toBe(text));
  it.each(names as [string, number, string][])("%s in %d letters is %s", (text, most, short) => {
    expect(shortened(text, most)).toBe(short);
  });
});

it("more digits on request", () => expect(formatValue(12345.678, 7)).toBe(`12${THIN}345.68`));
it("a noun is counted", () => expect([plural(1, "map"), plural(32, "map")]).toEqual(["1 map", "32 maps"]));
it("copied text uses plain digits", () => expect(plainDigits(`−1${THIN}240, 0.4${THIN}s`)).toBe("-1240, 0.4 s"));

describe("ages", () => {
  it.each([
    [0.42, `0.4${THIN}s`],
    [12.9, `12${THIN}s`],
    [134, `2${THIN}min 14${THIN}s`],
  ])("%d s is %s", (seconds, text) => expect(formatAge(seconds)).toBe(text));

  it("above an hour is the time of day it was", () => {
    expect(formatAgo(2 * 3600, new Date(2026, 0, 1, 14, 5))).toBe("at 12:05");
  });
});
