import { afterEach, describe, expect, it } from '@jest/globals';
import {
  aCloud,
  aCutover,
  anApiServer,
  EPOCH,
  type Fate,
  type Operator,
  refusal,
  startOperator,
} from '../../../test/builders/index.ts';
import { isTrue } from '../../domain/conditions.ts';
import { cutovers } from '../../kinds.ts';
import { manualClock } from '../../runtime/clock.ts';

const clock = manualClock({ now: EPOCH });
let operator: Operator;
afterEach(() => operator.crash());

async function started(names: Record<string, string>, fate: Fate) {
  const server = anApiServer(clock.now);
  for (const [name, platform] of Object.entries(names)) server.seed(cutovers, aCutover({ name, spec: { platform } }));
  operator = await startOperator({ server, cloud: aCloud(clock.now), clock, fate });
  return server;
}

describe('cutovers', () => {
  it('of one platform take turns, and wait for no other platform', async () => {
    const looks: string[] = [];
    const hung = Promise.withResolvers<void>();
    const server = await started(
      { a1: 'a', a2: 'a', b1: 'b', c1: 'c' },
      {
        before: async ({ method, resource, target }) => {
          if (method !== 'GET' || resource.plural !== 'platforms' || !target?.name) return;
          looks.push(target.name);
          if (target.name === 'a') await hung.promise;
        },
      },
    );
    await clock.advance(5_000);
    const said = () =>
      server
        .all(cutovers)
        .filter((one) => isTrue(one, 'Blocked'))
        .map(({ metadata }) => metadata.name);
    expect(said()).toEqual(['b1', 'c1']);
    expect(looks.filter((name) => name === 'a')).toHaveLength(1);
    hung.resolve();
    await clock.advance(1_000);
    expect(said()).toEqual(['a1', 'a2', 'b1', 'c1']);
  });

  it('are looked at again within ten seconds, however often that has failed', async () => {
    const times: number[] = [];
    await started(
      { a1: 'a' },
      {
        before: ({ method, resource, target }) => {
          if (method !== 'GET' || resource.plural !== 'platforms' || !target?.name) return;
          times.push(clock.now());
          throw refusal(0, 'Unreachable', 'get Platform a: no answer');
        },
      },
    );
    await clock.advance(600_000);
    const gaps = times.slice(1).map((time, n) => time - (times[n] ?? 0));
    expect(times.length).toBeGreaterThan(60);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(10_000);
    expect(Math.max(...gaps)).toBeGreaterThan(5_000);
  });
});
