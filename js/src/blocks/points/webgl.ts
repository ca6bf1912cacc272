/** Points by WebGL2: positions, targets and colours stay on the card, a frame of a move costs a few uniforms. */

import type { Rgb } from "../../kernel/color.ts";
import { rotation } from "./camera.ts";
import { type PointRenderer, type Scene, SIZE_UNIT, strokeOf } from "./renderer.ts";

const VERTEX = `#version 300 es
in vec3 a_from, a_to;
in vec4 a_color;
uniform float u_share, u_scale, u_perspective, u_radius, u_sized, u_line, u_ratio, u_each;
uniform vec3 u_center, u_fill;
uniform vec2 u_size, u_pan;
uniform mat3 u_turn;
flat out vec3 v_fill, v_shape;
void main() {
  vec3 p = u_turn * (mix(a_from, a_to, u_share) - u_center);
  float near = 1.0 / max(1.0 - p.z * u_perspective, 0.1);
  vec2 px = p.xy * near * u_scale + vec2(u_pan.x, -u_pan.y);
  float size = a_color.a * ${(255 * SIZE_UNIT).toFixed(4)};
  float radius = (u_radius + u_sized * (size - 1.0)) * clamp(near, 0.6, 1.6), line = 0.5 * u_line;
  gl_Position = vec4(px * 2.0 / u_size, 0.0, 1.0);
  gl_PointSize = ceil(2.0 * (radius + line) * u_ratio + 1.0);
  v_shape = vec3(gl_PointSize, (radius + line) * u_ratio + 0.5, (radius - line) * u_ratio + 0.5);
  v_fill = mix(u_fill, a_color.rgb, u_each);
}`;

// Half a pixel on either side of an edge is shared between in and out: smooth marks without multisampling.
const FRAGMENT = `#version 300 es
precision highp float;
flat in vec3 v_fill, v_shape;
uniform float u_alpha, u_filled;
uniform vec3 u_stroke;
out vec4 color;
void main() {
  float d = length(gl_PointCoord - 0.5) * v_shape.x;
  float core = clamp(v_shape.z - d, 0.0, 1.0);
  float line = clamp(v_shape.y - d, 0.0, 1.0) - core;
  color = (vec4(u_stroke, 1.0) * line + vec4(v_fill, 1.0) * (core * u_filled)) * u_alpha;
}`;

const UNIFORMS = [
  "share",
  "scale",
  "perspective",
  "radius",
  "sized",
  "line",
  "ratio",
  "center",
  "size",
  "pan",
  "turn",
  "alpha",
  "each",
  "filled",
  "fill",
  "stroke",
] as const;
type Uniforms = Record<(typeof UNIFORMS)[number], WebGLUniformLocation | null>;

function compile(gl: WebGL2RenderingContext, kind: number, source: string): WebGLShader | null {
  const shader = gl.createShader(kind);
  if (!shader) return null;
  gl.shaderSource(shader, source);
  gl.compileShader(shader);
  return shader;
}

function link(gl: WebGL2RenderingContext): WebGLProgram | null {
  const program = gl.createProgram();
  const vertex = compile(gl, gl.VERTEX_SHADER, VERTEX);
  const fragment = compile(gl, gl.FRAGMENT_SHADER, FRAGMENT);
  if (!program || !vertex || !fragment) return null;
  gl.attachShader(program, vertex);
  gl.attachShader(program, fragment);
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}

const unit = (rgb: Rgb): [number, number, number] => [rgb[0] / 255, rgb[1] / 255, rgb[2] / 255];

class WebGLRenderer implements PointRenderer {
  readonly kind = "webgl2";
  readonly #uniforms: Uniforms;
  readonly #buffers: {
    from: WebGLBuffer | null;
    to: WebGLBuffer | null;
    color: WebGLBuffer | null;
    members: WebGLBuffer | null;
  };
  #uploaded = { points: -1, colors: -1, passes: -1 };
  readonly #gl: WebGL2RenderingContext;
  readonly #program: WebGLProgram;

  constructor(gl: WebGL2RenderingContext, program: WebGLProgram) {
    this.#gl = gl;
    this.#program = program;
    this.#uniforms = Object.fromEntries(
      UNIFORMS.map((name) => [name, gl.getUniformLocation(program, `u_${name}`)]),
    ) as Uniforms;
    this.#buffers = {
      from: gl.createBuffer(),
      to: gl.createBuffer(),
      color: gl.createBuffer(),
      members: gl.createBuffer(),
    };
    this.#attribute("a_from", this.#buffers.from, 3, gl.FLOAT);
    this.#attribute("a_to", this.#buffers.to, 3, gl.FLOAT);
    this.#attribute("a_color", this.#buffers.color, 4, gl.UNSIGNED_BYTE);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.#buffers.members);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  #attribute(name: string, buffer: WebGLBuffer | null, size: number, type: number): void {
    const gl = this.#gl;
    const place = gl.getAttribLocation(this.#program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, type, type === gl.UNSIGNED_BYTE, 0, 0);
  }

  #upload(scene: Scene): void {
    const gl = this.#gl;
    const fill = (buffer: WebGLBuffer | null, data: AllowSharedBufferSource): void => {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    };
    if (this.#uploaded.points !== scene.versions.points) {
      fill(this.#buffers.from, scene.from);
      fill(this.#buffers.to, scene.to);
    }
    if (this.#uploaded.colors !== scene.versions.colors) fill(this.#buffers.color, scene.colors);
    if (this.#uploaded.passes !== scene.versions.passes) {
      const total = scene.passes.reduce((sum, pass) => sum + pass.members.length, 0);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, total * 4, gl.DYNAMIC_DRAW);
      let offset = 0;
      for (const pass of scene.passes) {
        gl.bufferSubData(gl.ELEMENT_ARRAY_BUFFER, offset, pass.members);
        offset += pass.members.byteLength;
      }
    }
    this.#uploaded = { ...scene.versions };
  }

  draw(scene: Scene): void {
    const gl = this.#gl;
    if (gl.isContextLost()) return;
    const { camera, size, pixelRatio } = scene;
    const u = this.#uniforms;
    gl.useProgram(this.#program);
    this.#upload(scene);
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform1f(u.share, scene.share);
    gl.uniform1f(u.scale, camera.scale);
    gl.uniform1f(u.perspective, camera.perspective);
    gl.uniform1f(u.ratio, pixelRatio);
    gl.uniform3f(u.center, ...camera.center);
    gl.uniform2f(u.size, size.width, size.height);
    gl.uniform2f(u.pan, camera.panX, camera.panY);
    gl.uniformMatrix3fv(u.turn, true, rotation(camera));
    let offset = 0;
    for (const pass of scene.passes) {
      gl.uniform1f(u.radius, pass.radius);
      gl.uniform1f(u.sized, pass.sized);
      gl.uniform1f(u.line, pass.line);
      gl.uniform1f(u.alpha, pass.alpha);
      gl.uniform1f(u.each, pass.fill === "each" ? 1 : 0);
      gl.uniform1f(u.filled, pass.fill === "none" ? 0 : 1);
      gl.uniform3f(u.fill, ...unit(scene.ink));
      gl.uniform3f(u.stroke, ...unit(strokeOf(pass, scene)));
      gl.drawElements(gl.POINTS, pass.members.length, gl.UNSIGNED_INT, offset);
      offset += pass.members.byteLength;
    }
  }

  /** Gives the context back at once: browsers keep about sixteen. */
  dispose(): void {
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
let card: boolean | undefined;

/** Whether a graphics card is behind WebGL2. Software does its work too, several times as slowly as our own. */
function hasCard(): boolean {
  const gl = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = gl && String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return name !== null && !SOFTWARE.test(name);
}

/** A renderer on this canvas, or null where WebGL2 is missing or no card is behind it. */
export function webglRenderer(canvas: HTMLCanvasElement): PointRenderer | null {
  card ??= hasCard();
  if (!card) return null;
  const gl = canvas.getContext("webgl2", { antialias: false, depth: false, stencil: false });
  if (!gl || gl.isContextLost()) return null;
  const program = link(gl);
  return program ? new WebGLRenderer(gl, program) : null;
}
