import type { Cloud } from '../cloud.ts';
import type { Subject } from '../faults/engine.ts';
import type { Call } from '../state/ledger.ts';
import type { Tree } from '../wire/parameters.ts';
import type { Answer } from '../wire/xml.ts';

/** One request on its way through the cloud. */
export type Request = {
  readonly caller: string;
  readonly parameters: Tree;
  /** What the request is about, for faults. */
  readonly subject: Subject;
  /** Its line in the ledger, which an action may add to. */
  readonly call: Call;
  /** When it arrived, ms since the epoch. */
  readonly now: number;
};

/** How the cloud answers one operation. */
export type Action = {
  /** The parameters that it understands, by their first name; any other is refused, not ignored. */
  readonly parameters: readonly string[];
  /** Does it: changes the cloud and returns the answer, or throws Ec2Error having changed nothing it does not say. */
  run(cloud: Cloud, request: Request): Answer;
};
