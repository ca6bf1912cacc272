/** What was set up, and how it is taken down again, last made first. */

type Events = HTMLElementEventMap & Pick<DocumentEventMap, "visibilitychange">;

export interface Lifetime {
  onDispose(remove: () => void): void;
  /** addEventListener, removed on dispose. */
  listen<K extends keyof Events>(
    target: EventTarget,
    type: K,
    handler: (event: Events[K]) => void,
    options?: AddEventListenerOptions,
  ): void;
  dispose(): void;
}

export function makeLifetime(): Lifetime {
  const removers: (() => void)[] = [];
  const onDispose = (remove: () => void): void => void removers.push(remove);
  return {
    onDispose,
    listen(target, type, handler, how) {
      target.addEventListener(type, handler as EventListener, how);
      onDispose(() => target.removeEventListener(type, handler as EventListener, how));
    },
    dispose: () => removers.splice(0).reverse().forEach((remove) => remove()),
  };
}
