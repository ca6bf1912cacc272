import { describe, expect, it } from "vitest";
import {
  formatAge,
  formatAgo,
  formatCount,
  formatFixed,
  formatSigned,
  formatValue,
  plainDigits,
} from "../src/kernel/format.ts";

const THIN = "\u202f";

describe("numbers", () => {
  it.each([
    [0, "0"],
    [999, "999"],
    [1240, `1${THIN}240`],
    [1234567, `1${THIN}234${THIN}567`],
    [-1240, `−1${THIN}240`],
  ])("count %d is %s", (value, text) => expect(formatCount(value)).toBe(text));

  it.each([
    [0, "0"],
    [1.8, "1.80"],
    [0.382, "0.382"],
    [-0.5304, "−0.530"],
    [12.34, "12.3"],
    [123.4, "123"],
    [99.96, "100"],
    [999.6, `1${THIN}000`],
    [0.0012345, "0.00123"],
    [0.000012, "1.2e−5"],
    [-0.000012, "−1.2e−5"],
    [123456, "1.2e5"],
    [Number.NaN, "NaN"],
    [Number.NEGATIVE_INFINITY, "−∞"],
  ])("value %d is %s", (value, text) => expect(formatValue(value)).toBe(text));

  it("a rounded nothing has no sign", () => expect(formatFixed(-0.001, 2)).toBe("0.00"));
  it("the upper end of a symmetric scale has its sign", () => expect(formatSigned(0.53)).toBe("+0.530"));
  it("copied text uses plain digits", () => expect(plainDigits(`−1${THIN}240, 0.4${THIN}s`)).toBe("-1240, 0.4 s"));
});

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
