/** Something that runs until told to stop. */
export type Runnable = {
  readonly name: string;
  /**
   * Runs until `signal` aborts, then cleans up and resolves. Rejects when it cannot go on. With LeadershipLost as the
   * signal's reason it stops at once instead of finishing what it has begun.
   */
  start(signal: AbortSignal): Promise<void>;
};

/** Another process may lead by now: nothing that only a leader may do must be finished. */
export class LeadershipLost extends Error {
  override readonly name = 'LeadershipLost';
}
