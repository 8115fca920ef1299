/** A `MessagePort`, which is no type where only its value is declared. */
export type Port = typeof MessagePort.prototype;

/**
 * The ports to the thread that has invited this one and to those that it has
 * invited. A message says no more than that there is something to see, and goes
 * on to all of them.
 */
export class Relay {
  /** With the number of the invitation that each belongs to. */
  readonly #ports = new Map<Port, number>();
  readonly #heard: () => void;

  constructor(heard: () => void) {
    this.#heard = heard;
  }

  /**
   * `closed` is called when the thread at the other end has ended, if the runtime
   * tells of that.
   */
  add(port: Port, guest: number, closed: () => void): void {
    this.#ports.set(port, guest);
    port.onmessage = () => {
      this.#send(port);
      this.#heard();
    };
    port.addEventListener("close", closed);
    // Where a port would keep the process alive.
    (port as { unref?: () => void }).unref?.();
  }

  /** Tells all threads. */
  call(): void {
    this.#send(undefined);
  }

  /** Closes the port of this number, or all ports. */
  close(guest?: number): void {
    for (const [port, its] of this.#ports) {
      if (guest !== undefined && its !== guest) continue;
      this.#ports.delete(port);
      port.close();
    }
  }

  #send(from: Port | undefined): void {
    for (const port of this.#ports.keys()) {
      if (port !== from) port.postMessage(0);
    }
  }
}
