import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createDestroyer } from '../../src/providers/ec2/destroy.ts';
import { openTransport } from '../../src/providers/ec2/sdk.ts';
import { providers } from '../../src/providers/registry.ts';
import { manualClock } from '../../src/runtime/clock.ts';
import { silent } from '../../src/runtime/logger.ts';
import { aClass, aLaunch, aTemplate, refusal, startCloud, type TestCloud } from './cloud.ts';

const CLUSTER = 'cluster-1';
let cloud: TestCloud | undefined;
let server: Server | undefined;

afterEach(async () => {
  await cloud?.simulator.stop();
  cloud = undefined;
  server?.closeAllConnections();
  await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  server = undefined;
});

async function start(scenario?: object) {
  const started = await startCloud(scenario);
  cloud = started;
  return { ...started, provider: await started.registry.for(started.class) };
}

/** A provider whose calls end after `timeout` ms, at an endpoint that a bare HTTP server plays. */
async function against(listener: Parameters<typeof createServer>[1], timeout = 300) {
  const listening = createServer(listener ?? (() => {}));
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return providerAt(`http://127.0.0.1:${(listening.address() as AddressInfo).port}`, timeout);
}

function providerAt(endpoint: string, timeout = 300) {
  return providers({
    clock: manualClock(),
    log: silent,
    readSecret: async () => ({ accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'secret' }),
    open: (account) => openTransport(account, timeout),
  }).for(aClass({ endpoint }));
}

describe('a launch at EC2', () => {
  it('makes machines that are tagged and protected from the first moment', async () => {
    const { provider, simulator, calls } = await start();
    const machines = await provider.launch(aLaunch(), 'planned');
    const parameters = Object.entries(calls('RunInstances')[0]?.other ?? {});
    const tagged = parameters.filter(([name]) => /^TagSpecification\.\d\.ResourceType$/.test(name));
    expect(tagged.map(([, type]) => type)).toEqual(['instance', 'volume', 'network-interface']);
    expect(machines).toHaveLength(3);
    const [machine] = machines;
    expect(machine).toMatchObject({
      state: 'pending',
      type: 'm6i.xlarge',
      subnet: 'subnet-b',
      zone: 'us-east-1b',
      providerID: `aws:///us-east-1b/${machine!.id}`,
      tags: { 'generations.dev/cluster': CLUSTER, Name: 'ga-1.web' },
    });
    for (const instance of simulator.cloud.instances.all) {
      expect(instance.terminationProtection.current).toBe(true);
      expect(instance.stopProtection.current).toBe(true);
      expect(instance.shutdownBehavior.current).toBe('stop');
    }
    expect((await provider.observe(CLUSTER, 0)).map(({ id }) => id)).toEqual(machines.map(({ id }) => id));
    expect(await provider.observe('another', 0)).toEqual([]);
  });

  it('repeated with its token gives the same machines', async () => {
    const { provider, simulator } = await start();
    const first = await provider.launch(aLaunch(), 'planned');
    const again = await provider.launch(aLaunch(), 'planned');
    expect(again.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
    expect(simulator.cloud.instances.all).toHaveLength(3);
  });

  it('whose answer was lost may have happened, and repeated gives the machines it made', async () => {
    const { provider, simulator, fault, calls } = await start();
    fault({ name: 'lost', operations: ['RunInstances'], count: 1, effect: { dropResponse: true } });
    const error = await refusal(provider.launch(aLaunch(), 'planned'));
    expect(error).toMatchObject({ reason: 'Unknown', refused: false });
    const made = simulator.cloud.instances.all.map(({ id }) => id);
    expect(made).toHaveLength(3);
    expect((await provider.launch(aLaunch(), 'planned')).map(({ id }) => id)).toEqual(made);
    expect(calls('RunInstances').at(-1)).toMatchObject({ replayed: true });
    expect(simulator.cloud.instances.all).toHaveLength(3);
  });

  it('whose token was used for another size finds the machines that were made', async () => {
    const { provider } = await start();
    const first = await provider.launch(aLaunch({ machines: 2 }), 'planned');
    const again = await provider.launch(aLaunch({ machines: 5 }), 'planned');
    expect(again.map(({ id }) => id).sort()).toEqual(first.map(({ id }) => id).sort());
  });

  it('gets fewer machines than it asks for when the subnet runs out, then none', async () => {
    const { provider } = await start();
    expect(await provider.launch(aLaunch({ subnet: 'subnet-a', machines: 40 }), 'planned')).toHaveLength(27);
    const error = await refusal(provider.launch(aLaunch({ subnet: 'subnet-a', token: 'token-2' }), 'planned'));
    expect(error).toMatchObject({
      reason: 'AddressesExhausted',
      code: 'InsufficientFreeAddressesInSubnet',
      refused: true,
    });
    expect(error.message).toMatch(
      /^RunInstances \(3 machines m6i\.xlarge in subnet-a\) at http:.* was refused: .*subnet-a.* Give the GenerationClass another subnet/,
    );
  });

  it('beyond the quota is refused as such', async () => {
    const { provider } = await start({ quotas: { vcpus: 8 } });
    expect(await provider.launch(aLaunch({ machines: 5 }), 'planned')).toHaveLength(2);
    const error = await refusal(provider.launch(aLaunch({ token: 'token-2' }), 'planned'));
    expect(error).toMatchObject({ reason: 'QuotaExceeded', code: 'VcpuLimitExceeded', refused: true });
  });

  it('without capacity in the zone is refused as such, although the status is 500', async () => {
    const { provider, fault } = await start();
    fault({ name: 'full', effect: { capacity: 0 } });
    const error = await refusal(provider.launch(aLaunch(), 'planned'));
    expect(error).toMatchObject({ reason: 'CapacityUnavailable', code: 'InsufficientInstanceCapacity', refused: true });
  });

  it.each([
    [
      'an image that does not exist',
      { template: aTemplate({ launchTemplate: { id: 'lt-0abc', version: '8' } }) },
      'InvalidAMIID.NotFound',
    ],
    [
      'a machine type that does not exist',
      { template: aTemplate({ instanceType: 'm6i.tiny' }) },
      'InvalidParameterValue',
    ],
    [
      'a launch template that does not exist',
      { template: aTemplate({ launchTemplate: { id: 'lt-0bad', version: '7' } }) },
      'InvalidLaunchTemplateId.NotFound',
    ],
    ['a template of another provider', { template: { labels: {} } }, 'NoEC2Block'],
  ])('of %s is an invalid template', async (_what, request, code) => {
    const { provider } = await start();
    const error = await refusal(provider.launch(aLaunch(request), 'planned'));
    expect(error).toMatchObject({ reason: 'InvalidTemplate', code, refused: true });
  });

  it('in a subnet that is gone, or whose zone does not have the type, is refused for that subnet', async () => {
    const { provider, fault } = await start();
    const gone = await refusal(provider.launch(aLaunch({ subnet: 'subnet-x' }), 'planned'));
    expect(gone).toMatchObject({ reason: 'SubnetUnsuitable', code: 'InvalidSubnetID.NotFound', refused: true });
    fault({
      name: 'zone',
      match: { subnet: 'subnet-b' },
      effect: { error: { code: 'Unsupported', message: 'not here' } },
    });
    const unsupported = await refusal(provider.launch(aLaunch({ subnet: 'subnet-b' }), 'planned'));
    expect(unsupported).toMatchObject({ reason: 'SubnetUnsuitable', code: 'Unsupported', refused: true });
    expect(await provider.launch(aLaunch({ subnet: 'subnet-a' }), 'planned')).toHaveLength(3);
  });

  it('of a machine that the cloud ends itself shows why', async () => {
    const { provider, fault, clock } = await start();
    const ends = { after: '5s', code: 'Client.InternalError', message: 'Client error on launch' };
    fault({ name: 'key', operations: ['RunInstances'], effect: { ends } });
    const [machine] = await provider.launch(aLaunch({ machines: 1 }), 'planned');
    await clock.advance(5_000);
    expect(await provider.find([machine!.id])).toMatchObject([
      { state: 'shutting-down', ended: { code: 'Client.InternalError', message: 'Client error on launch' } },
    ]);
  });
});

describe('throttling by EC2', () => {
  it('slows down and lets everything through in the end', async () => {
    const { provider, clock, calls } = await start({
      buckets: { RunInstances: { requestBurst: 1, requestsPerSecond: 0.5, resourceBurst: 20, resourcesPerSecond: 1 } },
    });
    let launched = 0;
    let now = 0;
    for (let turn = 0; launched < 60 && turn < 200; turn++) {
      const machines = Math.max(1, Math.min(60 - launched, provider.affordable('planned')));
      try {
        launched += (await provider.launch(aLaunch({ token: `token-${turn}`, machines }), 'planned')).length;
      } catch (error) {
        const { reason, refused, retryAfter } = await refusal(Promise.reject(error));
        expect({ reason, refused }).toEqual({ reason: 'Throttled', refused: true });
        expect(retryAfter).toBeGreaterThan(0);
        await clock.advance(retryAfter!);
        now += retryAfter!;
      }
    }
    expect(launched).toBe(60);
    const sent = calls('RunInstances');
    const refusals = sent.filter(({ code }) => code === 'RequestLimitExceeded').length;
    expect(refusals).toBeGreaterThan(0);
    expect(refusals).toBeLessThan(20);
    const budget = provider.budgets().find(({ operation }) => operation === 'RunInstances');
    expect(budget?.throttledTotal).toBe(refusals);
    expect(budget?.lastThrottledTime).toBeLessThanOrEqual(clock.now());
    // 40 machines beyond the burst at one a second are 40 s at best.
    expect(now).toBeLessThan(160_000);
  });

  it('of quotas has another name and the same meaning', async () => {
    const { provider } = await start({ buckets: { GetServiceQuota: { requestBurst: 1, requestsPerSecond: 0.001 } } });
    await provider.capacity({ subnets: [], types: [] }, 0);
    const other = aClass({ endpoint: cloud!.simulator.url, region: 'us-east-2' });
    const error = await refusal((await cloud!.registry.for(other)).capacity({ subnets: [], types: [] }, 0));
    expect(error).toMatchObject({ reason: 'Throttled', code: 'TooManyRequestsException', refused: true });
  });

  it('is avoided: what the class declares is not exceeded, and planned work leaves the reserve', async () => {
    const { registry, simulator, calls } = await start();
    const apiBudgets = {
      RunInstances: { requestsPerSecond: 1, requestBurst: 5, resourcesPerSecond: 1, resourceBurst: 10 },
    };
    const provider = await registry.for(aClass({ endpoint: simulator.url }, { apiBudgets }));
    expect(await provider.launch(aLaunch({ machines: 8 }), 'planned')).toHaveLength(8);
    const error = await refusal(provider.launch(aLaunch({ token: 'token-2', machines: 1 }), 'planned'));
    expect(error).toMatchObject({ reason: 'Throttled', code: 'BudgetExhausted', refused: true, retryAfter: 1000 });
    expect(await provider.launch(aLaunch({ token: 'token-2', machines: 2 }), 'recovery')).toHaveLength(2);
    expect(calls('RunInstances')).toHaveLength(2);
  });
});

describe('the destroyer', () => {
  it('is refused a protected machine until its protection is lifted', async () => {
    const { provider, simulator } = await start();
    const [machine] = await provider.launch(aLaunch({ machines: 1 }), 'planned');
    const destroyer = createDestroyer(provider);
    const error = await refusal(destroyer.terminate([machine!.id]));
    expect(error).toMatchObject({ code: 'OperationNotPermitted', refused: true });
    await destroyer.unprotect(machine!.id);
    await destroyer.terminate([machine!.id]);
    expect(simulator.cloud.instances.all[0]?.state.current).toBe('shutting-down');
    expect(await destroyer.describe([machine!.id])).toMatchObject([{ id: machine!.id, state: 'shutting-down' }]);
  });

  it('takes a machine on its way out for unprotected', async () => {
    const { provider } = await start();
    const [machine] = await provider.launch(aLaunch({ machines: 1 }), 'planned');
    const destroyer = createDestroyer(provider);
    await destroyer.unprotect(machine!.id);
    await destroyer.terminate([machine!.id]);
    await expect(destroyer.unprotect(machine!.id)).resolves.toBeUndefined();
    await expect(destroyer.terminate([machine!.id])).resolves.toBeUndefined();
  });

  it('gets to the second half of unprotecting when one call is let through at a time', async () => {
    const { registry, simulator, clock, calls } = await start();
    const apiBudgets = { ModifyInstanceAttribute: { requestsPerSecond: 1, requestBurst: 1 } };
    const provider = await registry.for(aClass({ endpoint: simulator.url }, { apiBudgets }));
    const [machine] = await provider.launch(aLaunch({ machines: 1 }), 'planned');
    expect(await refusal(createDestroyer(provider).unprotect(machine!.id))).toMatchObject({ reason: 'Throttled' });
    await clock.advance(1000);
    await createDestroyer(provider).unprotect(machine!.id);
    expect(calls('ModifyInstanceAttribute')).toHaveLength(2);
    await createDestroyer(provider).terminate([machine!.id]);
    expect(simulator.cloud.instances.all[0]?.state.current).toBe('shutting-down');
  });

  it('protects again what was unprotected', async () => {
    const { provider } = await start();
    const [machine] = await provider.launch(aLaunch({ machines: 1 }), 'planned');
    const destroyer = createDestroyer(provider);
    await destroyer.unprotect(machine!.id);
    await provider.protect(machine!.id);
    await expect(destroyer.terminate([machine!.id])).rejects.toMatchObject({ code: 'OperationNotPermitted' });
  });

  it('knows that a failed batch may have ended the machines of another zone', async () => {
    const { provider } = await start();
    const [a] = await provider.launch(aLaunch({ subnet: 'subnet-a', machines: 1 }), 'planned');
    const [b] = await provider.launch(aLaunch({ token: 'token-2', machines: 1 }), 'planned');
    const destroyer = createDestroyer(provider);
    await destroyer.unprotect(a!.id);
    const error = await refusal(destroyer.terminate([a!.id, b!.id]));
    expect(error).toMatchObject({ code: 'OperationNotPermitted', refused: false });
    const states = await destroyer.describe([a!.id, b!.id]);
    expect(states.map(({ state }) => state)).toEqual(['shutting-down', 'pending']);
  });

  it('leaves out what the cloud does not know, and asks nothing for nothing', async () => {
    const { provider, calls } = await start();
    const destroyer = createDestroyer(provider);
    expect(await destroyer.describe(['i-0123456789abcdef0'])).toEqual([]);
    await destroyer.terminate([]);
    expect(calls('TerminateInstances')).toEqual([]);
  });
});

describe('stopping and starting at EC2', () => {
  const running = async (machines = 2, scenario: object = {}) => {
    const site = await start({
      times: { consistency: '0s', boot: { median: '10s' }, stop: { median: '5s' } },
      ...scenario,
    });
    const launched = await site.provider.launch(aLaunch({ machines }), 'planned');
    await site.clock.advance(20_000);
    const ids = launched.map(({ id }) => id);
    const states = async () => (await site.provider.find(ids)).map(({ state }) => state);
    return { ...site, ids, states, destroyer: createDestroyer(site.provider) };
  };

  it('needs the stop protection lifted, and leaves the termination protection on', async () => {
    const { provider, destroyer, clock, ids, states } = await running();
    const [id] = ids;
    expect(await refusal(destroyer.stop([id!]))).toMatchObject({ code: 'OperationNotPermitted', refused: true });
    await destroyer.allowStop(id!);
    await destroyer.stop([id!]);
    expect(await states()).toEqual(['stopping', 'running']);
    await clock.advance(10_000);
    expect(await states()).toEqual(['stopped', 'running']);
    expect(await provider.protection(id!)).toEqual({ termination: true, stop: false });
    expect(await refusal(destroyer.terminate([id!]))).toMatchObject({ code: 'OperationNotPermitted' });
    await expect(destroyer.stop([id!])).resolves.toBeUndefined();
  });

  it('starts what was stopped; done again it does no harm, and a stopping machine is refused', async () => {
    const { provider, destroyer, clock, ids, states } = await running();
    for (const id of ids) await destroyer.allowStop(id);
    await destroyer.stop(ids);
    expect(await refusal(provider.start(ids, 'recovery'))).toMatchObject({
      code: 'IncorrectInstanceState',
      refused: true,
    });
    await clock.advance(10_000);
    const before = (await provider.find(ids))[0]!.launchTime;
    await provider.start(ids, 'recovery');
    await provider.start(ids, 'recovery');
    expect(await states()).toEqual(['pending', 'pending']);
    await clock.advance(20_000);
    expect(await states()).toEqual(['running', 'running']);
    expect((await provider.find(ids))[0]!.launchTime).toBeGreaterThan(before);
    await provider.protect(ids[0]!);
    expect(await refusal(destroyer.stop([ids[0]!]))).toMatchObject({ code: 'OperationNotPermitted' });
  });

  it('starts as many as the budget affords, and says when to ask for the rest', async () => {
    const { registry, simulator, destroyer, clock, ids, states, calls } = await running(5);
    for (const id of ids) await destroyer.allowStop(id);
    await destroyer.stop(ids);
    await clock.advance(10_000);
    const apiBudgets = {
      StartInstances: { requestsPerSecond: 2, requestBurst: 5, resourcesPerSecond: 1, resourceBurst: 3 },
    };
    const provider = await registry.for(aClass({ endpoint: simulator.url }, { apiBudgets }));
    expect(await refusal(provider.start(ids, 'recovery'))).toMatchObject({
      reason: 'Throttled',
      code: 'BudgetExhausted',
      retryAfter: expect.any(Number),
    });
    expect(await states()).toEqual(['pending', 'pending', 'pending', 'stopped', 'stopped']);
    await clock.advance(3_000);
    await provider.start(ids.slice(3), 'recovery');
    expect(calls('StartInstances').map(({ machines }) => machines?.length)).toEqual([3, 2]);
  });

  it('asks nothing for nothing', async () => {
    const { provider, destroyer, calls } = await running(1);
    await provider.start([], 'planned');
    await destroyer.stop([]);
    expect([...calls('StartInstances'), ...calls('StopInstances')]).toEqual([]);
  });
});

describe('protection at EC2', () => {
  it('is read from the machine: both halves, each by itself', async () => {
    const { provider, simulator } = await start();
    const [machine] = await provider.launch(aLaunch({ machines: 1 }), 'planned');
    const [instance] = simulator.cloud.instances.all;
    expect(await provider.protection(machine!.id)).toEqual({ termination: true, stop: true });
    instance!.stopProtection.set(false, 0);
    expect(await provider.protection(machine!.id)).toEqual({ termination: true, stop: false });
    instance!.terminationProtection.set(false, 0);
    instance!.stopProtection.set(true, 0);
    expect(await provider.protection(machine!.id)).toEqual({ termination: false, stop: true });
    await provider.protect(machine!.id);
    expect(await provider.protection(machine!.id)).toEqual({ termination: true, stop: true });
  });

  it('that cannot be read is not taken for absent', async () => {
    const { provider, fault } = await start();
    const [machine] = await provider.launch(aLaunch({ machines: 1 }), 'planned');
    expect(await refusal(provider.protection('i-0123456789abcdef0'))).toMatchObject({ refused: true });
    fault({
      name: 'slow',
      operations: ['DescribeInstanceAttribute'],
      after: { requests: 1 },
      effect: { error: 'RequestLimitExceeded' },
    });
    expect(await refusal(provider.protection(machine!.id))).toMatchObject({ reason: 'Throttled' });
  });

  it.each([
    ['neither', ''],
    ['the first half only', '<disableApiTermination><value>true</value></disableApiTermination>'],
  ])('of which the answer says %s is unknown', async (_what, body) => {
    const provider = await against((_request, response) => {
      response
        .writeHead(200, { 'content-type': 'text/xml' })
        .end(
          `<DescribeInstanceAttributeResponse><instanceId>i-1</instanceId>${body}</DescribeInstanceAttributeResponse>`,
        );
    });
    expect(await refusal(provider.protection('i-1'))).toMatchObject({ code: 'IncompleteAnswer', refused: false });
  });
});

describe('tags at EC2', () => {
  it('are set on all machines, beside those that they have', async () => {
    const { provider, calls } = await start();
    const ids = (await provider.launch(aLaunch(), 'planned')).map(({ id }) => id);
    const tags = { 'generations.dev/live-time': '2026-01-02T03:04:05Z' };
    await provider.tag(ids, tags);
    await provider.tag(ids, tags);
    for (const machine of await provider.find(ids)) {
      expect(machine.tags).toMatchObject({ ...tags, Name: 'ga-1.web', 'generations.dev/cluster': CLUSTER });
    }
    expect(calls('CreateTags')).toHaveLength(2);
  });

  it('go to a thousand machines a call, and no machines or no tags cost no call', async () => {
    const { provider, calls } = await start({
      quotas: { vcpus: 100_000 },
      subnets: [{ id: 'subnet-b', zone: 'us-east-1b', cidr: '10.0.0.0/20' }],
      buckets: { RunInstances: { requestBurst: 5, requestsPerSecond: 2, resourceBurst: 2000, resourcesPerSecond: 2 } },
    });
    await provider.tag([], { a: 'b' });
    const first = await provider.launch(aLaunch({ machines: 900 }), 'recovery');
    await cloud!.clock.advance(200_000);
    const second = await provider.launch(aLaunch({ token: 'token-2', machines: 101 }), 'recovery');
    const ids = [...first, ...second].map(({ id }) => id);
    await provider.tag(ids, {});
    expect(calls('CreateTags')).toEqual([]);
    await provider.tag(ids, { a: 'b' });
    expect(calls('CreateTags')).toHaveLength(2);
    const found = await provider.find(ids);
    expect(found.map(({ tags }) => tags.a)).toEqual(Array.from({ length: 1001 }, () => 'b'));
  }, 30_000);

  it('on a machine that does not exist are set on none of the call', async () => {
    const { provider } = await start();
    const [machine] = await provider.launch(aLaunch({ machines: 1 }), 'planned');
    const error = await refusal(provider.tag([machine!.id, 'i-0123456789abcdef0'], { a: 'b' }));
    expect(error).toMatchObject({ code: 'InvalidInstanceID.NotFound', refused: true });
    expect((await provider.find([machine!.id]))[0]?.tags.a).toBeUndefined();
  });

  it('throttled are asked again later', async () => {
    const { provider, fault } = await start();
    const [machine] = await provider.launch(aLaunch({ machines: 1 }), 'planned');
    fault({ name: 'slow', operations: ['CreateTags'], count: 1, effect: { error: 'RequestLimitExceeded' } });
    expect(await refusal(provider.tag([machine!.id], { a: 'b' }))).toMatchObject({ reason: 'Throttled' });
  });
});

describe('capacity at EC2', () => {
  it('is addresses, vCPUs of types, quota and what all owners use of it', async () => {
    const { provider, clock, simulator } = await start({ quotas: { vcpus: 100 } });
    await provider.launch(aLaunch({ subnet: 'subnet-a', machines: 3 }), 'planned');
    await provider.launch(aLaunch({ token: 'token-2', machines: 2, tags: { owner: 'somebody' } }), 'planned');
    await clock.advance(20_000);
    expect(await provider.capacity({ subnets: ['subnet-b', 'subnet-a'], types: ['m6i.xlarge'] }, 0)).toEqual({
      subnets: [
        { id: 'subnet-a', zone: 'us-east-1a', cidr: '10.0.0.0/27', total: 27, free: 24 },
        { id: 'subnet-b', zone: 'us-east-1b', cidr: '10.0.1.0/24', total: 251, free: 249 },
      ],
      types: { 'm6i.xlarge': 4 },
      network: { 'm6i.xlarge': { interfaces: 4, addresses: 15 } },
      held: Object.fromEntries(
        simulator.cloud.instances.all.map(({ id }) => [id, { type: 'm6i.xlarge', addresses: 1 }]),
      ),
      vcpus: { quota: 100, used: 20 },
    });
  });

  it('says what each machine holds, when a CNI has given it addresses and prefixes', async () => {
    const { provider, clock } = await start({
      cni: { after: { median: '20s' }, interfaces: 2, addresses: 3, prefixes: 1 },
    });
    const [machine] = await provider.launch(aLaunch({ machines: 1 }), 'planned');
    const holds = async () => {
      const { held, subnets } = await provider.capacity({ subnets: ['subnet-b'], types: [] }, 0);
      return [held[machine!.id]?.addresses, subnets[0]!.total - subnets[0]!.free];
    };
    await clock.advance(15_000);
    expect(await holds()).toEqual([1, 1]);
    await clock.advance(90_000);
    expect(await holds()).toEqual([38, 38]);
  });

  it.each([
    ['a subnet', { subnets: ['subnet-x'], types: [] }, 'InvalidSubnetID.NotFound', 'subnet-x'],
    ['a machine type', { subnets: [], types: ['m6i.tiny'] }, 'InvalidInstanceType', 'm6i.tiny'],
    ['a machine type of another quota', { subnets: [], types: ['g5.xlarge'] }, 'UnsupportedQuota', 'g5.xlarge'],
  ])('names %s that cannot be used', async (_what, query, code, name) => {
    const { provider } = await start();
    const error = await refusal(provider.capacity(query, 0));
    expect(error).toMatchObject({ reason: 'InvalidTemplate', code, refused: true });
    expect(error.message).toContain(name);
  });
});

describe('a template at EC2', () => {
  it('that can work passes', async () => {
    const { provider } = await start();
    await expect(provider.checkTemplate(aTemplate())).resolves.toBeUndefined();
  });

  it.each([
    ['launch template', aTemplate({ launchTemplate: { id: 'lt-0bad', version: '7' } }), 'lt-0bad'],
    ['version', aTemplate({ launchTemplate: { id: 'lt-0abc', version: '9' } }), 'version 9 of launch template lt-0abc'],
    ['machine type', aTemplate({ instanceType: 'm6i.tiny' }), 'm6i.tiny'],
    ['block', { labels: { a: 'b' } }, 'has no block ec2'],
  ])('without a known %s is refused by name', async (_what, template, name) => {
    const { provider } = await start();
    const error = await refusal(provider.checkTemplate(template));
    expect(error).toMatchObject({ reason: 'InvalidTemplate', refused: true });
    expect(error.message).toContain(name);
  });
});

describe('a launch template that would have machines ended by the cloud', () => {
  it('is refused: machines are On-Demand', async () => {
    const provider = await against((_request, response) => {
      response
        .writeHead(200, { 'content-type': 'text/xml' })
        .end(
          '<DescribeLaunchTemplateVersionsResponse><launchTemplateVersionSet><item><versionNumber>7</versionNumber><launchTemplateData><instanceMarketOptions><marketType>spot</marketType></instanceMarketOptions></launchTemplateData></item></launchTemplateVersionSet></DescribeLaunchTemplateVersionsResponse>',
        );
    });
    const error = await refusal(provider.checkTemplate(aTemplate()));
    expect(error).toMatchObject({ reason: 'InvalidTemplate', code: 'NotOnDemand', refused: true });
  });
});

describe('addresses at EC2', () => {
  it('are read, pointed at a machine and pointed at another', async () => {
    const { provider } = await start();
    const [one, two] = await provider.launch(aLaunch({ machines: 2 }), 'planned');
    expect(await provider.addresses(['eipalloc-1'])).toEqual([{ allocationID: 'eipalloc-1', publicIP: '192.0.2.1' }]);
    await cloud!.clock.advance(20_000);
    await provider.associate('eipalloc-1', one!.id);
    await provider.associate('eipalloc-1', two!.id);
    expect(await provider.addresses(['eipalloc-1'])).toMatchObject([{ instanceID: two!.id, publicIP: '192.0.2.1' }]);
  });

  it('that do not exist are named', async () => {
    const { provider } = await start();
    const error = await refusal(provider.addresses(['eipalloc-1', 'eipalloc-9']));
    expect(error).toMatchObject({ reason: 'InvalidTemplate', code: 'InvalidAllocationID.NotFound' });
    expect(error.message).toContain('eipalloc-9');
  });
});

describe('observation at EC2', () => {
  it('reads every page, and fails as a whole when one page fails', async () => {
    const { provider, fault, calls, simulator } = await start({
      quotas: { vcpus: 100_000 },
      subnets: [{ id: 'subnet-b', zone: 'us-east-1b', cidr: '10.0.0.0/20' }],
    });
    await provider.launch(aLaunch({ machines: 600 }), 'planned');
    expect(simulator.cloud.instances.all).toHaveLength(600);
    expect(await provider.observe(CLUSTER, 0)).toHaveLength(600);
    expect(calls('DescribeInstances')).toHaveLength(2);
    await cloud!.clock.advance(1);
    fault({
      name: 'second-page',
      operations: ['DescribeInstances'],
      after: { requests: 1 },
      count: 1,
      effect: { error: 'InternalError' },
    });
    await expect(provider.observe(CLUSTER, 0)).rejects.toMatchObject({ reason: 'Unknown', refused: false });
    await expect(provider.observe(CLUSTER, 0)).resolves.toHaveLength(600);
  }, 30_000);
});

describe('questions to EC2', () => {
  it('are shared by those who ask at the same time, and answers by those who accept their age', async () => {
    const { provider, calls, clock } = await start();
    const query = { subnets: ['subnet-a', 'subnet-b'], types: ['m6i.xlarge'] };
    await Promise.all(Array.from({ length: 10 }, () => provider.observe(CLUSTER, 0)));
    await Promise.all(Array.from({ length: 10 }, () => provider.capacity(query, 0)));
    await clock.advance(4_000);
    await provider.observe(CLUSTER, 5_000);
    await provider.capacity({ ...query, subnets: ['subnet-b', 'subnet-a'] }, 5_000);
    expect(calls('DescribeInstances')).toHaveLength(2);
    expect(calls('DescribeSubnets')).toHaveLength(1);
    expect(calls('DescribeInstanceTypes')).toHaveLength(1);
    expect(calls('GetServiceQuota')).toHaveLength(1);
  });

  it('see a launch late, as EC2 does, while the launch itself says the truth', async () => {
    const { provider, clock } = await start({ times: { consistency: '2s' } });
    const launched = await provider.launch(aLaunch(), 'planned');
    expect(launched).toHaveLength(3);
    expect(await provider.observe(CLUSTER, 0)).toEqual([]);
    expect(await provider.find(launched.map(({ id }) => id))).toEqual([]);
    await clock.advance(2_000);
    expect(await provider.observe(CLUSTER, 0)).toHaveLength(3);
    expect(await provider.find([launched[1]!.id])).toMatchObject([{ id: launched[1]!.id }]);
  });
});

describe('an endpoint that cannot be used', () => {
  it('with wrong credentials says whose they are', async () => {
    const { registry, simulator, secrets } = await start();
    secrets['generations-system/wrong'] = { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' };
    const wrong = aClass({
      endpoint: simulator.url,
      credentialsSecretRef: { namespace: 'generations-system', name: 'wrong' },
    });
    const provider = await registry.for(wrong);
    for (const call of [provider.observe(CLUSTER, 0), provider.launch(aLaunch(), 'planned')]) {
      const error = await refusal(call);
      expect(error).toMatchObject({ reason: 'Unauthorized', code: 'AuthFailure', refused: true });
      expect(error.message).toContain('spec.ec2.credentialsSecretRef');
    }
    const quota = await refusal(provider.capacity({ subnets: [], types: [] }, 0));
    expect(quota).toMatchObject({ reason: 'Unauthorized', code: 'UnrecognizedClientException' });
  });

  it('that refuses connections is Unknown, and the endpoint is named', async () => {
    // Port 9 (discard) of loopback: nothing listens there.
    const error = await refusal((await providerAt('http://127.0.0.1:9')).observe(CLUSTER, 0));
    expect(error).toMatchObject({ reason: 'Unknown', refused: false });
    expect(error.message).toContain('ECONNREFUSED');
    expect(error.message).toContain('http://127.0.0.1:9');
  });

  it('that never answers is given up, and the request may have had its effect', async () => {
    const provider = await against(() => {});
    const error = await refusal(provider.launch(aLaunch(), 'planned'));
    expect(error).toMatchObject({ reason: 'Unknown', code: 'TimeoutError', refused: false });
  });

  it('that stops in the middle of an answer is given up too', async () => {
    const provider = await against((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/xml', 'content-length': '1000' });
      response.write('<?xml version="1.0"?><DescribeInstancesResponse><reservationSet>');
    });
    const error = await refusal(provider.observe(CLUSTER, 0));
    expect(error).toMatchObject({ reason: 'Unknown', refused: false });
  });

  it.each([
    ['an empty body', 200, ''],
    ['something that is not EC2', 200, '<html><body>Welcome</body></html>'],
    [
      'an answer without a list',
      200,
      '<DescribeInstancesResponse><requestId>1</requestId></DescribeInstancesResponse>',
    ],
    ['half a document', 200, '<DescribeInstancesResponse><reservationSet><item><instancesSet>'],
    ['an error page of a proxy', 502, '<html><body>Bad gateway</body></html>'],
    ['an error without words', 503, ''],
  ])('with %s does not look like a cloud without machines', async (_what, status, body) => {
    const provider = await against((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
    });
    const error = await refusal(provider.observe(CLUSTER, 0));
    expect(error).toMatchObject({ reason: 'Unknown', refused: false });
    expect(error.message.split('\n')).toHaveLength(1);
  });

  it('with an empty list is a cloud without machines', async () => {
    const provider = await against((_request, response) => {
      response
        .writeHead(200, { 'content-type': 'text/xml' })
        .end(
          '<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId><reservationSet/></DescribeInstancesResponse>',
        );
    });
    expect(await provider.observe(CLUSTER, 0)).toEqual([]);
  });
});
