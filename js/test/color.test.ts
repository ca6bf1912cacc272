import { describe, expect, it } from "vitest";
import { type Rgb, fromOklab, heatColor, lookUp, packRgb, parseHex, readTheme, toOklab } from "../src/kernel/color.ts";

const ANCHORS = {
  ink: {
    light: "f2f4f4 b6e1dd 7cc9cb 3eafbe 1890b3 0570a5 174f94 223171 1d1948",
    dark: "111111 182a51 22447e 2360a7 1082b8 19a4c4 48c5c8 8fe3cb d4fddb",
  },
  diverging: {
    light: "163c89 2b69b2 5a9bd5 a9d0ee f2f4f4 efcca5 df9353 b65a1f 7c2707",
    dark: "92ddfb 53a7d9 2d6ea7 1a395f 111111 542d14 9d551f d58c3f facd78",
  },
} as const;

const unpack = (packed: number): Rgb => [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255];

function themeOf(side: "light" | "dark"): ReturnType<typeof readTheme> {
  document.body.dataset.jpThemeLight = String(side === "light");
  return readTheme(document.body);
}

describe.each(["light", "dark"] as const)("the %s maps", (side) => {
  it.each(["ink", "diverging"] as const)("%s pass exactly through their anchors", (name) => {
    const lut = themeOf(side)[name];
    const expected = ANCHORS[name][side].split(" ").map(parseHex);
    expect(expected.map((_, i) => unpack(lut[32 * i] as number))).toEqual(expected);
  });

  it("have the ground at zero", () => {
    const theme = themeOf(side);
    const ground = packRgb(parseHex(theme.ground.slice(1)));
    expect(lookUp(theme.ink, 0, 0, 5)).toBe(ground);
    expect(lookUp(theme.diverging, 0, -0.53, 0.53)).toBe(ground);
  });

  it("let lightness run one way, up to the rounding of 8 bits", () => {
    const theme = themeOf(side);
    const away = side === "light" ? -1 : 1;
    const rises = (lut: Uint32Array, sign: number): boolean =>
      [...lut].every((packed, i) => {
        const step = i === 0 ? 0 : toOklab(unpack(packed))[0] - toOklab(unpack(lut[i - 1] as number))[0];
        return sign * step > -0.004;
      });
    expect(rises(theme.ink, away)).toBe(true);
    expect(rises(theme.diverging.slice(0, 129), -away)).toBe(true);
    expect(rises(theme.diverging.slice(128), away)).toBe(true);
  });
});

it("OKLab and back is the same colour", () => {
  for (const hex of ["000000", "ffffff", "1976d2", "7c2707", "00ff00"]) {
    expect(fromOklab(toOklab(parseHex(hex)))).toEqual(parseHex(hex));
  }
});

it("values outside the scale take its ends", () => {
  const { ink } = themeOf("light");
  expect(lookUp(ink, -3, 0, 1)).toBe(ink[0]);
  expect(lookUp(ink, 9, 0, 1)).toBe(ink[256]);
});

describe("heat over a picture", () => {
  it("leaves the picture as it is at opacity 0", () => {
    expect(unpack(heatColor(200, 1, 0))).toEqual([200, 200, 200]);
  });
  it("only darkens where nothing was lost", () => {
    expect(unpack(heatColor(200, 0, 1))).toEqual([90, 90, 90]);
  });
  it("is orange where something was lost, blue where gained", () => {
    const [lost, gained] = [unpack(heatColor(0, 1, 1)), unpack(heatColor(0, -1, 1))];
    expect(lost[0]).toBeGreaterThan(lost[2]);
    expect(gained[2]).toBeGreaterThan(gained[0]);
  });
});
