import { describe, expect, it } from "vitest";
import { decodeArray, decodeFrame, halfTable } from "../src/kernel/wire.ts";
import { bytes } from "./host.ts";

describe("float16", () => {
  it("follows IEEE 754 at its landmarks", () => {
    const table = halfTable();
    expect(table[0x3c00]).toBe(1);
    expect(table[0xc000]).toBe(-2);
    expect(table[0x7bff]).toBe(65504);
    expect(table[0x0001]).toBe(2 ** -24);
    expect(table[0x0400]).toBe(2 ** -14);
    expect(Object.is(table[0x8000], -0)).toBe(true);
    expect(table[0x7c00]).toBe(Number.POSITIVE_INFINITY);
    expect(table[0xfc00]).toBe(Number.NEGATIVE_INFINITY);
    expect(table[0x7e01]).toBeNaN();
  });

  it("grows with its bits", () => {
    const positive = halfTable().slice(0, 0x7c01);
    expect(positive.every((value, i) => i === 0 || value > (positive[i - 1] as number))).toBe(true);
  });

  it("is multiplied by the scale", () => {
    const spec = { name: "maps", dtype: "float16", shape: [3], scale: 4 };
    expect([...decodeArray(spec, bytes([0x3c00, 0xbc00, 0x3800], "uint16")).data]).toEqual([4, -4, 2]);
  });
});

describe("arrays", () => {
  it.each([
    ["float32", [1.5, -2.25]],
    ["uint8", [0, 255]],
    ["int16", [-32768, 32767]],
    ["uint16", [0, 65535]],
    ["int32", [-2147483648, 2147483647]],
  ] as const)("of %s come back as they were packed", (dtype, values) => {
    const array = decodeArray({ name: "x", dtype, shape: [1, 2] }, bytes(values, dtype));
    expect([...array.data]).toEqual([...values]);
    expect(array.shape).toEqual([1, 2]);
  });

  it("honour the byte offset and length of a view into a larger buffer, odd ones too", () => {
    const whole = new Uint8Array(11).fill(0xee);
    new DataView(whole.buffer).setInt16(3, -5, true);
    new DataView(whole.buffer).setInt16(5, 700, true);
    const array = decodeArray({ name: "x", dtype: "int16", shape: [2] }, new DataView(whole.buffer, 3, 4));
    expect([...array.data]).toEqual([-5, 700]);
  });

  it("are refused when the bytes do not match the shape", () => {
    const spec = { name: "maps", dtype: "uint8", shape: [2, 2] };
    expect(() => decodeArray(spec, bytes([1, 2, 3], "uint8"))).toThrow("maps: expected 4 bytes for shape (2, 2)");
  });

  it("are refused when the dtype is unknown", () => {
    expect(() => decodeArray({ name: "x", dtype: "float64", shape: [] }, bytes([], "uint8"))).toThrow("float64");
  });
});

describe("frames", () => {
  it("need one buffer per array", () => {
    const message = { kind: "frame", header: {}, arrays: [{ name: "x", dtype: "uint8", shape: [1] }] };
    expect(() => decodeFrame(message, [])).toThrow("expected one per array (1), got 0");
  });

  it("need a header", () => {
    expect(() => decodeFrame({ kind: "frame" }, [])).toThrow("header");
  });
});
