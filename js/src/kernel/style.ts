/** The style sheet: one per document or shadow root, whatever the number of widgets in it. */

export interface Sheet {
  css: string;
  version: string;
  /** When this version came to the page (ms): a later one takes the place of an earlier. */
  since: number;
}

/** Puts the sheet into the root that `el` is in, or will be. Returns the undoing of what is still to come. */
export function dress(el: HTMLElement, sheet: Sheet): () => void {
  place(el, sheet);
  // Hosts attach the element after they had it rendered, and some of them into a shadow root.
  const later = el.isConnected ? 0 : requestAnimationFrame(() => place(el, sheet));
  return () => cancelAnimationFrame(later);
}

function place(el: HTMLElement, { css, version, since }: Sheet): void {
  const root = el.getRootNode();
  const home = root instanceof ShadowRoot ? root : el.ownerDocument.head;
  const present = home.querySelector<HTMLStyleElement>("style[data-nnw-style]");
  if (present && (present.dataset.nnwStyle === version || Number(present.dataset.nnwSince) > since)) return;
  const style = present ?? document.createElement("style");
  Object.assign(style.dataset, { nnwStyle: version, nnwSince: String(since) });
  style.textContent = css;
  if (!present) home.append(style);
}
