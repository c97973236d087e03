import { afterEach, describe, expect, it } from '@jest/globals';
import type { GenerationClass } from '../../src/api/v1alpha1/index.ts';
import type { Providers } from '../../src/providers/registry.ts';
import { sameAccount } from '../../src/providers/same-account.ts';
import { aClass, refusal, startCloud, type TestCloud } from './cloud.ts';

/** Two simulated clouds of two accounts, with subnets of the same ids; the registry is the operator's own. */
const ONE = '111111111111';
const OTHER = '222222222222';

let clouds: TestCloud[] = [];
afterEach(async () => {
  for (const { simulator } of clouds) await simulator.stop();
  clouds = [];
});

async function two(): Promise<{ one: TestCloud; other: TestCloud; registry: Providers }> {
  const [one, other] = [await startCloud({ account: ONE }), await startCloud({ account: OTHER })];
  clouds = [one, other];
  return { one, other, registry: sameAccount(one.registry, one.clock) };
}

const at = ({ simulator }: TestCloud, account?: string, subnet = 'subnet-a'): GenerationClass => ({
  ...aClass({ endpoint: simulator.url }, { subnets: [{ id: subnet, zone: 'us-east-1a' }] }),
  status: { observedGeneration: 1, ...(account && { account: { id: account, region: 'us-east-1' } }) },
});

describe('a class that is known to be of an account', () => {
  it('is served there', async () => {
    const { one, registry } = await two();
    const provider = await registry.for(at(one, ONE));
    expect(await provider.owner(['subnet-a'], 0)).toBe(ONE);
    expect(await provider.observe('cluster-1', 0)).toEqual([]);
  });

  it('is not served in another one: that look is a failed one, and the message names both', async () => {
    const { other, registry } = await two();
    const error = await refusal(registry.for(at(other, ONE)));
    expect(error).toMatchObject({ reason: 'AnotherAccount', refused: true });
    expect(error.message).toContain(`GenerationClass aws has its machines in account ${ONE}`);
    expect(error.message).toContain(`Secret generations-system/aws at ${other.simulator.url} lead to account ${OTHER}`);
    expect(other.calls('DescribeInstances')).toEqual([]);
  });

  it('nor where none of its subnets is to be seen', async () => {
    const { one, registry } = await two();
    const error = await refusal(registry.for(at(one, ONE, 'subnet-0gone')));
    expect(error).toMatchObject({ reason: 'AnotherAccount' });
    expect(error.message).toContain('a place that has none of its subnets');
  });

  it('is served again when its credentials lead back, however often they change', async () => {
    const { one, other, registry } = await two();
    for (let turn = 0; turn < 3; turn++) {
      await registry.for(at(one, ONE));
      await refusal(registry.for(at(other, ONE)));
    }
  });

  it('goes on while the question whose it is fails, once it was answered, and not before', async () => {
    const { one, registry } = await two();
    one.fault({ name: 'dark', operations: ['DescribeSubnets'], effect: { error: 'Unavailable' } });
    await refusal(registry.for(at(one, ONE)));
    one.simulator.cloud.faults.remove('dark');
    await registry.for(at(one, ONE));
    one.fault({ name: 'dark', operations: ['DescribeSubnets'], effect: { error: 'Unavailable' } });
    await one.clock.advance(3_600_000);
    await registry.for(at(one, ONE));
  });
});

describe('a class of which nothing is known yet', () => {
  it('keeps to the first account that it was seen with, before its status says so', async () => {
    const { one, other, registry } = await two();
    await registry.for(at(one));
    expect((await refusal(registry.for(at(other)))).reason).toBe('AnotherAccount');
    expect((await refusal(registry.for(at(other, ONE)))).reason).toBe('AnotherAccount');
  });

  it('may be made anew for another account', async () => {
    const { one, other, registry } = await two();
    await registry.for(at(one));
    registry.forget('aws');
    await registry.for(at(other));
  });

  it('is left to say itself that a subnet does not exist', async () => {
    const { one, registry } = await two();
    const provider = await registry.for(at(one, undefined, 'subnet-0gone'));
    expect((await refusal(provider.capacity({ subnets: ['subnet-0gone'], types: [] }, 0))).reason).toBe(
      'InvalidTemplate',
    );
  });
});
