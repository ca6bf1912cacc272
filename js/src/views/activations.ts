import { definePanel } from "../kernel/panel.ts";

export default definePanel(() => ({ frame: () => undefined, draw: () => undefined }));
