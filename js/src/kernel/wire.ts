/** The wire format of frames. Knows bytes and headers; knows no view and no DOM. */

export type Values =
  | Float32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>;

export interface NdArray {
  shape: number[];
  data: Values;
}

/** Entry `k` along the first axis. */
export function rowOf({ shape, data }: NdArray, k: number): Values {
  const length = data.length / Math.max(shape[0] ?? 1, 1);
  return data.subarray(k * length, (k + 1) * length);
}

export interface Frame<H> {
  channel: string;
  header: H;
  arrays: Record<string, NdArray>;
}

interface ArraySpec {
  name: string;
  dtype: string;
  shape: number[];
  scale?: number;
}

export interface Message {
  kind: string;
  channel?: string;
  seq?: number;
  request?: number;
  /** Of a pong: the ping was handled while a cell ran, or would have been. */
  busy?: boolean;
  error?: string;
  header?: unknown;
  arrays?: ArraySpec[];
}

const MANTISSA = 1 / 1024;

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * 2 ** -14 * fraction * MANTISSA;
  return sign * 2 ** (exponent - 15) * (1 + fraction * MANTISSA);
}

let halves: Float32Array | undefined;

/** Every float16 by its bits: 65 536 entries, made on first use. */
export function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => halfValue(bits));
  return halves;
}

function decodeHalf(bits: Uint16Array, scale: number): Float32Array<ArrayBuffer> {
  const table = halfTable();
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = (table[bits[i] as number] as number) * scale;
  return out;
}

const KINDS: Record<string, { BYTES_PER_ELEMENT: number; new (own: ArrayBuffer): Values }> = {
  float16: Uint16Array,
  float32: Float32Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
};

/** A little-endian, C-ordered array. The bytes are copied: a message's view may start at an odd offset of its buffer. */
export function decodeArray({ name, dtype, shape, scale = 1 }: ArraySpec, bytes: DataView): NdArray {
  const Kind = KINDS[dtype];
  if (!Kind) throw new TypeError(`${name}: unknown dtype ${dtype}`);
  const expected = Kind.BYTES_PER_ELEMENT * shape.reduce((product, size) => product * size, 1);
  if (bytes.byteLength !== expected) {
    const wanted = `expected ${expected} bytes for shape (${shape.join(", ")}) of ${dtype}`;
    throw new RangeError(`${name}: ${wanted}, got ${bytes.byteLength}`);
  }
  const data = new Kind(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + expected) as ArrayBuffer);
  return { shape: [...shape], data: dtype === "float16" ? decodeHalf(data as Uint16Array, scale) : data };
}

/** A frame of a message and its buffers, one buffer per array. Throws on anything malformed. */
export function decodeFrame<H>(message: Message, buffers: readonly DataView[]): Frame<H> {
  if (typeof message.header !== "object" || message.header === null) throw new TypeError("header: expected an object");
  const specs = message.arrays ?? [];
  if (specs.length !== buffers.length) {
    throw new RangeError(`buffers: expected one per array (${specs.length}), got ${buffers.length}`);
  }
  const arrays: Record<string, NdArray> = {};
  specs.forEach((spec, i) => {
    arrays[spec.name] = decodeArray(spec, buffers[i] as DataView);
  });
  return { channel: message.channel ?? "picture", header: message.header as H, arrays };
}
