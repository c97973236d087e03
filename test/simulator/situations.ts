import type { AddressInfo } from 'node:net';
import { manualClock } from '../../src/runtime/clock.ts';
import { silent } from '../../src/runtime/logger.ts';
import { createCloud } from '../../src/simulator/cloud.ts';
import { createHttpServer } from '../../src/simulator/server.ts';
import { aScenario } from '../../src/simulator/testing.ts';
import { addresses, catalogue, interfaces, lives } from './stories-of-machines.ts';
import { faults, refusals, shortages, stranger } from './stories-of-refusals.ts';
import type { Story } from './story.ts';

/** One answer exactly as it went over the wire. */
export type RawAnswer = { situation: string; operation: string; status: number; body: string };

/** Runs every story over HTTP on a manual clock and returns all answers, in order. */
export async function allAnswers(): Promise<RawAnswer[]> {
  const answers: RawAnswer[] = [];
  for (const story of [lives, catalogue, addresses, interfaces, refusals, shortages, faults, stranger])
    await tell(story, answers);
  return answers;
}

async function tell({ scenario, accessKey = 'AKOPERATOR', run }: Story, answers: RawAnswer[]): Promise<void> {
  const clock = manualClock();
  const server = createHttpServer(createCloud(aScenario(scenario), clock, silent));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKey}/20261124/us-east-1/ec2/aws4_request, Signature=0`;
  try {
    await run({
      pass: (seconds) => clock.advance(seconds * 1000),
      async ask(situation, operation, parameters = {}) {
        const response = await fetch(`http://127.0.0.1:${port}`, {
          method: 'POST',
          headers: { authorization },
          body: new URLSearchParams({ Action: operation, Version: '2016-11-15', ...parameters }),
          signal: AbortSignal.timeout(10_000),
        });
        const body = await response.text();
        answers.push({ situation, operation, status: response.status, body });
        return body;
      },
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
