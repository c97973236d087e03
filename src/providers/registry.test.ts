import { describe, expect, it } from '@jest/globals';
import type { GenerationClass } from '../api/v1alpha1/index.ts';
import { manualClock } from '../runtime/clock.ts';
import { silent } from '../runtime/logger.ts';
import type { Transport } from './ec2/operations.ts';
import type { Account } from './ec2/sdk.ts';
import type { Provider } from './provider.ts';
import { isLoopback, providers } from './registry.ts';

const LOCAL = 'http://127.0.0.1:4566';

function aClass(name: string, ec2: object = {}, spec: object = {}): GenerationClass {
  return {
    metadata: { name },
    spec: {
      provider: 'ec2',
      ec2: { region: 'us-east-1', endpoint: LOCAL, credentialsSecretRef: { namespace: 'ns', name: 'aws' }, ...ec2 },
      subnets: [],
      recoveryReserve: '20%',
      ...spec,
    },
  } as unknown as GenerationClass;
}

function aRegistry(scale = 1) {
  const clock = manualClock({ scale });
  const opened: Account[] = [];
  const reads: string[] = [];
  const secrets: Record<string, Record<string, string>> = {
    'ns/aws': { accessKeyId: 'AKIA1', secretAccessKey: 's1' },
    'ns/same': { accessKeyId: 'AKIA1', secretAccessKey: 's1' },
    'ns/other': { accessKeyId: 'AKIA2', secretAccessKey: 's2' },
  };
  const registry = providers({
    clock,
    log: silent,
    readSecret: async ({ namespace, name }) => {
      reads.push(name);
      const data = secrets[`${namespace}/${name}`];
      if (!data) throw new Error('not found');
      return data;
    },
    open: (account) => {
      opened.push(account);
      return (async () => ({ Reservations: [] })) as unknown as Transport;
    },
  });
  return { registry, clock, opened, reads, secrets };
}

const launchBudget = (provider: Provider) => provider.budgets().find(({ operation }) => operation === 'RunInstances')!;

describe('the registry of providers', () => {
  it('has one provider for classes that share account, region and endpoint', async () => {
    const { registry, opened } = aRegistry();
    const one = await registry.for(aClass('one'));
    expect(await registry.for(aClass('one'))).toBe(one);
    expect(await registry.for(aClass('two', { credentialsSecretRef: { namespace: 'ns', name: 'same' } }))).toBe(one);
    expect(opened).toEqual([
      { region: 'us-east-1', endpoint: LOCAL, credentials: { accessKeyId: 'AKIA1', secretAccessKey: 's1' } },
    ]);
  });

  it.each([
    ['account', { credentialsSecretRef: { namespace: 'ns', name: 'other' } }],
    ['region', { region: 'us-east-2' }],
    ['endpoint', { endpoint: 'http://127.0.0.1:4567' }],
    ['chain of credentials', { credentialsSecretRef: undefined }],
  ])('has another for another %s', async (_what, change) => {
    const { registry } = aRegistry();
    expect(await registry.for(aClass('two', change))).not.toBe(await registry.for(aClass('one')));
    expect(registry.budgets()).toHaveLength(2);
  });

  it('opens one connection for two who ask at the same time', async () => {
    const { registry, opened } = aRegistry();
    const [one, two] = await Promise.all([registry.for(aClass('one')), registry.for(aClass('two'))]);
    expect(one).toBe(two);
    expect(opened).toHaveLength(1);
  });

  it('follows a class whose endpoint changes, and a Secret that is rotated', async () => {
    const { registry, clock, secrets, opened } = aRegistry();
    const first = await registry.for(aClass('one'));
    const moved = await registry.for(aClass('one', { endpoint: 'http://127.0.0.1:4567' }));
    expect(moved).not.toBe(first);
    const back = await registry.for(aClass('one'));
    expect(back).not.toBe(first);
    secrets['ns/aws'] = { accessKeyId: 'AKIA1', secretAccessKey: 'rotated' };
    await clock.advance(10_001);
    expect(await registry.for(aClass('one'))).not.toBe(back);
    expect(opened.at(-1)?.credentials?.secretAccessKey).toBe('rotated');
  });

  it('keeps what was spent when a key is rotated within its account', async () => {
    const { registry, clock, secrets } = aRegistry();
    const apiBudgets = { DescribeInstances: { requestsPerSecond: 0.01, requestBurst: 1 } };
    await (await registry.for(aClass('one', {}, { apiBudgets }))).observe('c', 0);
    secrets['ns/aws'] = { accessKeyId: 'AKIA1', secretAccessKey: 'rotated' };
    await clock.advance(10_001);
    const rotated = await registry.for(aClass('one', {}, { apiBudgets }));
    await expect(rotated.observe('c', 0)).rejects.toMatchObject({ code: 'BudgetExhausted' });
  });

  it('reads a Secret once for many who ask', async () => {
    const { registry, reads } = aRegistry();
    for (let n = 0; n < 5; n++) await registry.for(aClass('one'));
    expect(reads).toEqual(['aws']);
  });

  it('holds an account to the lowest ceiling of its classes, until that class is gone', async () => {
    const { registry, clock } = aRegistry();
    const budgets = (requestsPerSecond: number) => ({
      apiBudgets: { RunInstances: { requestsPerSecond, requestBurst: 5 } },
    });
    const provider = await registry.for(aClass('one', {}, budgets(1.5)));
    await registry.for(aClass('two', {}, budgets(1)));
    expect(launchBudget(provider).requestsPerSecond).toBe(1);
    registry.forget('two');
    await clock.advance(60_000);
    expect(launchBudget(provider).requestsPerSecond).toBe(1.5);
    await registry.for(aClass('one', {}, budgets(0.5)));
    expect(launchBudget(provider).requestsPerSecond).toBe(0.5);
  });

  it.each([
    ['is missing', 'nobody', 'SecretUnreadable', 'Secret ns/nobody with the credentials cannot be read: not found'],
    ['lacks a key', 'half', 'SecretIncomplete', 'Secret ns/half has no key secretAccessKey.'],
    ['has an empty key', 'empty', 'SecretIncomplete', 'Secret ns/empty has no key accessKeyId.'],
  ])('names a Secret that %s', async (_what, name, code, message) => {
    const { registry, secrets } = aRegistry();
    secrets['ns/half'] = { accessKeyId: 'AKIA1' };
    secrets['ns/empty'] = { accessKeyId: ' ', secretAccessKey: 's' };
    const asked = registry.for(aClass('one', { credentialsSecretRef: { namespace: 'ns', name } }));
    await expect(asked).rejects.toMatchObject({
      reason: 'Unauthorized',
      code,
      refused: true,
      message: expect.stringContaining(message),
    });
  });

  it('recovers when the Secret appears', async () => {
    const { registry, secrets } = aRegistry();
    const late = aClass('one', { credentialsSecretRef: { namespace: 'ns', name: 'late' } });
    await expect(registry.for(late)).rejects.toMatchObject({ code: 'SecretUnreadable' });
    secrets['ns/late'] = { accessKeyId: 'AKIA1', secretAccessKey: 's1' };
    await expect(registry.for(late)).resolves.toBeDefined();
  });

  it.each(['https://ec2.us-east-1.amazonaws.com', 'http://10.0.0.1:4566', 'http://127.0.0.1.example.com', undefined])(
    'refuses a time scale above 1 for endpoint %s',
    async (endpoint) => {
      const { registry, opened } = aRegistry(60);
      await expect(registry.for(aClass('one', { endpoint }))).rejects.toMatchObject({
        reason: 'InvalidTemplate',
        code: 'TimeScaleRefused',
      });
      await expect(registry.for(aClass('one'))).resolves.toBeDefined();
      expect(opened).toHaveLength(1);
      await expect(aRegistry(1).registry.for(aClass('one', { endpoint }))).resolves.toBeDefined();
    },
  );

  it('takes for loopback what can only be this machine', () => {
    expect(
      ['http://127.0.0.1', 'http://127.9.9.9:1/', 'http://localhost:4566', 'http://[::1]:4566'].every(isLoopback),
    ).toBe(true);
    expect(
      ['http://127.0.0.1@10.0.0.1', 'http://localhost.example.com', 'nonsense', 'http://0.0.0.0'].some(isLoopback),
    ).toBe(false);
  });
});
