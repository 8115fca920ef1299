import { Resource, type Subject } from "../subject.ts";

/** A floor: nothing but `await` of a promise that is resolved already. */
export function open(): Subject<Resource> {
  const resource = new Resource();
  const promise = Promise.resolve(resource);
  return {
    acquire: () => promise,
    resource: (lease) => lease,
    release: () => {},
  };
}
