/** Something that runs until told to stop. */
export type Runnable = {
  readonly name: string;
  /** Runs until `signal` aborts, then cleans up and resolves. Rejects when it cannot go on. */
  start(signal: AbortSignal): Promise<void>;
};
