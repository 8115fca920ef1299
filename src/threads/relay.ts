/**
 * The ports to the thread that has invited this one and to those that it has
 * invited. A message says no more than that there is something to see, and goes
 * on to all of them.
 */
export class Relay {
  readonly #ports = new Set<MessagePort>();
  readonly #heard: () => void;

  constructor(heard: () => void) {
    this.#heard = heard;
  }

  /** `ended` is called when the thread at the other end has ended. */
  add(port: MessagePort, ended: () => void): void {
    this.#ports.add(port);
    port.onmessage = () => {
      this.#send(port);
      this.#heard();
    };
    port.addEventListener("close", () => {
      this.#ports.delete(port);
      ended();
    });
    // Where a port would keep the process alive.
    (port as { unref?: () => void }).unref?.();
  }

  /** Tells all threads. */
  call(): void {
    this.#send(undefined);
  }

  close(): void {
    for (const port of this.#ports) port.close();
    this.#ports.clear();
  }

  #send(from: MessagePort | undefined): void {
    for (const port of this.#ports) {
      if (port !== from) port.postMessage(0);
    }
  }
}
