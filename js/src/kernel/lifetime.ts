/** What was set up, and how it is taken down again, last made first. */

export interface Lifetime {
  onDispose(remove: () => void): void;
  /** addEventListener, removed on dispose. */
  listen(
    target: EventTarget,
    type: string,
    handler: (event: Event) => void,
    options?: AddEventListenerOptions | boolean,
  ): void;
  dispose(): void;
}

export function makeLifetime(): Lifetime {
  const removers: (() => void)[] = [];
  const onDispose = (remove: () => void): void => void removers.push(remove);
  return {
    onDispose,
    listen(target, type, handler, how) {
      target.addEventListener(type, handler, how);
      onDispose(() => target.removeEventListener(type, handler, how));
    },
    dispose: () => removers.splice(0).reverse().forEach((remove) => remove()),
  };
}
