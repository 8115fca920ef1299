/** What a process writes: all of it so far. */
export class Output {
  text = "";
  /** Resolves when it writes no more. */
  readonly end: Promise<void>;

  constructor(stdout: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.end = stdout.pipeThrough(new TextDecoderStream())
      .pipeTo(
        new WritableStream({ write: (text) => void (this.text += text) }),
      );
  }
}
