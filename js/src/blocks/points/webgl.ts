/** WebGL2 renderer: positions, targets and colours stay on the card, so that a frame of a move costs a few uniforms. */

import type { Rgb } from "../../kernel/color.ts";
import { rotation } from "./camera.ts";
import { type PointRenderer, type Scene, SIZE_UNIT, strokeOf } from "./passes.ts";

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

function makeRenderer(gl: WebGL2RenderingContext, program: WebGLProgram): PointRenderer {
  const places = new Map<string, WebGLUniformLocation | null>();
  const u = (name: string): WebGLUniformLocation | null => {
    if (!places.has(name)) places.set(name, gl.getUniformLocation(program, `u_${name}`));
    return places.get(name) ?? null;
  };
  const attribute = (name: string, size: number, type: number): WebGLBuffer | null => {
    const [buffer, place] = [gl.createBuffer(), gl.getAttribLocation(program, name)];
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, type, type === gl.UNSIGNED_BYTE, 0, 0);
    return buffer;
  };
  const buffers = {
    from: attribute("a_from", 3, gl.FLOAT),
    to: attribute("a_to", 3, gl.FLOAT),
    colors: attribute("a_color", 4, gl.UNSIGNED_BYTE),
  };
  let uploaded: Scene | null = null;
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);

  function upload(scene: Scene): void {
    for (const name of ["from", "to", "colors"] as const) {
      if (uploaded?.[name] === scene[name]) continue;
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, scene[name] as AllowSharedBufferSource, gl.DYNAMIC_DRAW);
    }
    if (uploaded?.passes !== scene.passes) {
      const total = scene.passes.reduce((sum, pass) => sum + pass.members.byteLength, 0);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, total, gl.DYNAMIC_DRAW);
      let offset = 0;
      for (const { members } of scene.passes) {
        gl.bufferSubData(gl.ELEMENT_ARRAY_BUFFER, offset, members);
        offset += members.byteLength;
      }
    }
    uploaded = scene;
  }

  return {
    kind: "webgl2",
    draw(scene) {
      if (gl.isContextLost()) return;
      const { camera, size } = scene;
      gl.useProgram(program);
      upload(scene);
      gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform1f(u("share"), scene.share);
      gl.uniform1f(u("scale"), camera.scale);
      gl.uniform1f(u("perspective"), camera.perspective);
      gl.uniform1f(u("ratio"), scene.pixelRatio);
      gl.uniform3f(u("center"), ...camera.center);
      gl.uniform2f(u("size"), size.width, size.height);
      gl.uniform2f(u("pan"), camera.panX, camera.panY);
      gl.uniformMatrix3fv(u("turn"), true, rotation(camera));
      let offset = 0;
      for (const pass of scene.passes) {
        gl.uniform1f(u("radius"), pass.radius);
        gl.uniform1f(u("sized"), pass.sized);
        gl.uniform1f(u("line"), pass.line);
        gl.uniform1f(u("alpha"), pass.alpha);
        gl.uniform1f(u("each"), pass.fill === "each" ? 1 : 0);
        gl.uniform1f(u("filled"), pass.fill === "none" ? 0 : 1);
        gl.uniform3f(u("fill"), ...unit(scene.ink));
        gl.uniform3f(u("stroke"), ...unit(strokeOf(pass, scene)));
        gl.drawElements(gl.POINTS, pass.members.length, gl.UNSIGNED_INT, offset);
        offset += pass.members.byteLength;
      }
    },
    /** Gives the context back at once: browsers keep about sixteen. */
    dispose: () => gl.getExtension("WEBGL_lose_context")?.loseContext(),
  };
}

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
let card: boolean | undefined;

/** Whether WebGL2 runs on a graphics card. In software it works too, but several times slower than our own renderer. */
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
  const gl = card ? canvas.getContext("webgl2", { antialias: false, depth: false, stencil: false }) : null;
  const program = gl && !gl.isContextLost() ? link(gl) : null;
  return gl && program && makeRenderer(gl, program);
}
