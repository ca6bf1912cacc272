/** What jsdom lacks of a browser. */

class Observer {
  observe(): void {}
  disconnect(): void {}
}

Object.assign(globalThis, {
  IntersectionObserver: Observer,
  ResizeObserver: Observer,
  matchMedia: () => Object.assign(new EventTarget(), { matches: false }),
});
