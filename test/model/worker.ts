import { parentPort } from 'node:worker_threads';
import { explore } from './explore.ts';
import { modelOf } from './model.ts';
import type { Scenario } from './scenarios.ts';

/** Explores one scenario after the other, for main.ts. */
parentPort?.on('message', ({ scenario, limit }: { scenario: Scenario; limit: number }) => {
  parentPort?.postMessage(explore(modelOf(scenario), limit));
});
