import { expect, test } from "vitest";
import { Shared } from "../src/kernel/shared.ts";

const shared = (): Shared<number> => new Shared<number>(0, Object.is);

test("a frame made before a change here does not undo it", () => {
  const value = shared();
  value.set(1);
  expect(value.hear(0)).toBe(false);
  expect(value.value).toBe(1);
});

test("the echo of an earlier change does not undo a later one", () => {
  const value = shared();
  value.set(1);
  value.set(2);
  expect([value.hear(1), value.hear(2)]).toEqual([false, false]);
  expect(value.value).toBe(2);
});

test("what Python sets counts, also after the echo of the same value", () => {
  const value = shared();
  expect(value.hear(5)).toBe(true);
  value.set(1);
  value.set(2);
  value.hear(2);
  expect(value.hear(1)).toBe(true);
  expect(value.value).toBe(1);
});

test("a change there and back leaves nothing open", () => {
  const value = shared();
  value.set(1);
  value.set(0);
  expect(value.hear(0)).toBe(false);
  expect(value.hear(1)).toBe(true);
});
