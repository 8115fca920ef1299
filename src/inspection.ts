/**
 * Has `console.log` of Node, Bun and Deno show the name of a class and what
 * its `toJSON` gives.
 */
export function inspectable(
  type: { readonly name: string; readonly prototype: { toJSON(): object } },
): void {
  const symbol = Symbol.for("nodejs.util.inspect.custom");
  Object.defineProperty(type.prototype, symbol, {
    value(
      this: { toJSON(): object },
      _depth: number,
      options: object,
      inspect: (value: object, options: object) => string,
    ) {
      return `${type.name} ${inspect(this.toJSON(), options)}`;
    },
  });
}
