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

/** A little-endian, C-ordered array. The bytes are copied: a message's view may start at an odd offset of its buffer. */
export function decodeArray(spec: ArraySpec, bytes: DataView): NdArray {
  const count = spec.shape.reduce((product, size) => product * size, 1);
  const width = { float16: 2, float32: 4, uint8: 1, int16: 2, uint16: 2, int32: 4 }[spec.dtype];
  if (width === undefined) throw new TypeError(`${spec.name}: unknown dtype ${spec.dtype}`);
  if (bytes.byteLength !== count * width) {
    throw new RangeError(
      `${spec.name}: expected ${count * width} bytes for shape (${spec.shape.join(", ")}) of ${spec.dtype}, got ${bytes.byteLength}`,
    );
  }
  const own = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  return { shape: [...spec.shape], data: typedArray(spec, own) };
}

function typedArray(spec: ArraySpec, own: ArrayBuffer): Values {
  switch (spec.dtype) {
    case "float16":
      return decodeHalf(new Uint16Array(own), spec.scale ?? 1);
    case "float32":
      return new Float32Array(own);
    case "int16":
      return new Int16Array(own);
    case "uint16":
      return new Uint16Array(own);
    case "int32":
      return new Int32Array(own);
    default:
      return new Uint8Array(own);
  }
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
