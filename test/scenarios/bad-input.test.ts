import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ensureBinaries } from '../../local/binaries/build.ts';
import { type CommandResult, runCommand } from '../../local/command.ts';
import { type ControlPlane, startControlPlane } from '../../local/control-plane.ts';
import { writeKubeconfig } from '../../local/kubeconfig.ts';
import { paths } from '../../local/paths.ts';
import type { Cutover } from '../../src/api/v1alpha1/index.ts';
import { aliveOf } from './ledger.ts';
import {
  aClass,
  aCutover,
  aGeneration,
  aPlatform,
  aScenario,
  aWorkload,
  edgeNamespace,
  SUBNETS,
  TEMPLATE,
  TRAFFIC,
  wwwService,
} from './objects.ts';
import { condition, has, inStage, renewals, startWorld, versions, type World } from './world.ts';

/**
 * Whatever is wrong in what people write, or around the operator, is said where they look, and does not touch what
 * runs: at start in one line with exit status 2, later in a condition. At 30 declared seconds in a real one.
 */

const SCALE = 30;
const STEADY = 3;

let world: World;
let directory: string;
/** An API server on which nothing is installed. */
let bare: ControlPlane;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bad-input-'));
  world = await startWorld({ scenario: aScenario(), timeScale: SCALE });
  bare = await startControlPlane({
    binaries: await ensureBinaries({ log: () => {} }),
    run: { controllerManager: false, scheduler: false, kwok: false },
  });
  await world.apply('admin', edgeNamespace, wwwService);
  await world.apply('gitops', aClass('local', world.cloud), aPlatform('site', 'local'));
  await world.apply('alice', aGeneration('steady', 'site', { web: { machines: STEADY } }));
  await world.apply('alice', aCutover('to-steady', 'site', '', 'steady'));
  await world.until('clustergenerations', 'steady', 'to be live', inStage('Live'));
}, 120_000);

afterAll(async () => {
  await bare?.stop();
  await world?.stop();
  await rm(directory, { recursive: true });
}, 30_000);

describe('the operator at its start', () => {
  /** Arguments and environment by what is wrong; what the one line says. */
  const cases: [what: string, wrong: () => Promise<{ args?: string[]; env?: Record<string, string> }>, line: RegExp][] =
    [
      [
        'a flag that is no number',
        async () => ({ args: ['--time-scale=fast'] }),
        /^--time-scale "fast" is not a number$/,
      ],
      ['a scale of 0', async () => ({ args: ['--time-scale=0'] }), /^--time-scale "0" must be above 0$/],
      [
        'an address without a port',
        async () => ({ args: ['--metrics-address=8080'] }),
        /^--metrics-address "8080" is not an address: write host:port or :port, for example :8080$/,
      ],
      [
        'a port that cannot be',
        async () => ({ args: ['--health-address=:99999'] }),
        /^--health-address ":99999" has a port above 65535$/,
      ],
      [
        'an unknown level',
        async () => ({ args: ['--log-level=loud'] }),
        /^--log-level "loud" .*debug.*info.*warn.*error/,
      ],
      ['an unknown flag', async () => ({ args: ['--speed=9'] }), /^Unknown option '--speed'/],
      ['an argument that is no flag', async () => ({ args: ['now'] }), /^Unexpected argument 'now'/],
      [
        'a malformed environment variable',
        async () => ({ env: { GENERATIONS_TIME_SCALE: 'fast' } }),
        /^--time-scale "fast" is not a number$/,
      ],
      [
        'a kubeconfig that is not there',
        async () => ({ env: { KUBECONFIG: join(directory, 'none') } }),
        /^cannot read kubeconfig .*none: ENOENT/,
      ],
      [
        'no kubeconfig at all',
        async () => ({ env: { KUBECONFIG: '', HOME: directory } }),
        /^cannot read kubeconfig .*\.kube\/config: ENOENT/,
      ],
      [
        'a kubeconfig that is no YAML',
        async () => ({ env: { KUBECONFIG: await file('broken', 'a: [') } }),
        /^cannot read kubeconfig .*broken: /,
      ],
      [
        'a kubeconfig without a context',
        async () => ({ env: { KUBECONFIG: await file('empty', '{}') } }),
        /^.*empty has no context named \(none\)$/,
      ],
      [
        'an API server that does not answer',
        async () => kubeconfig({ server: 'https://127.0.0.1:9' }),
        /^the API server does not answer: check the address in \$KUBECONFIG \(.*ECONNREFUSED/,
      ],
      [
        'credentials that the API server refuses',
        async () => kubeconfig({ token: 'wrong' }),
        /^the API server refuses the credentials in \$KUBECONFIG: renew them /,
      ],
      [
        'no permission',
        async () => kubeconfig({ token: world.environment.controlPlane.tokens.cloud }),
        /^no permission to read generationclasses: install the RBAC of the chart cluster-generations /,
      ],
      [
        'CRDs that are not installed',
        async () => ({ env: { KUBECONFIG: bare.kubeconfigs.admin } }),
        /^the CustomResourceDefinition generationclasses\.generations\.dev is not installed: install the chart cluster-generations /,
      ],
    ];

  async function file(name: string, text: string): Promise<string> {
    await writeFile(join(directory, name), text);
    return join(directory, name);
  }

  let kubeconfigs = 0;
  async function kubeconfig(change: { server?: string; token?: string }) {
    const { server, certificateAuthority, tokens } = world.environment.controlPlane;
    kubeconfigs += 1;
    const path = join(directory, `kubeconfig-${kubeconfigs}`);
    const credential = { token: change.token ?? tokens.admin };
    await writeKubeconfig(path, {
      server: change.server ?? server,
      certificateAuthority,
      user: 'operator',
      credential,
    });
    return { env: { KUBECONFIG: path } };
  }

  const results = new Map<string, CommandResult>();

  beforeAll(async () => {
    const left = [...cases];
    // A start is a second of one processor: two at a time.
    const worker = async () => {
      for (let next = left.shift(); next; next = left.shift()) {
        const [what, wrong] = next;
        const { args = [], env = {} } = await wrong();
        const result = await runCommand(process.execPath, [paths.operator, ...args], {
          env: { NODE_OPTIONS: '', KUBECONFIG: bare.kubeconfigs.admin, ...env },
          limitMs: 30_000,
        });
        results.set(what, result);
      }
    };
    await Promise.all([worker(), worker()]);
  }, 120_000);

  it.each(cases)('ends with status 2 and one clear line for %s', (what, _wrong, line) => {
    const { status, stdout, stderr } = results.get(what)!;
    const [first = '', ...rest] = stderr.trimEnd().split('\n');
    expect(first).toMatch(/^cluster-generations: /);
    expect(first.replace('cluster-generations: ', '')).toMatch(line);
    // After a wrong flag comes the list of those that there are; nothing else, and never a stack trace.
    if (rest.length > 0) expect(rest[0]).toMatch(/^usage: cluster-generations \[flags\]/);
    expect(stderr + stdout).not.toMatch(/^\s+at /m);
    expect(status).toBe(2);
  });
});

/** What a row applies, and the condition that says so. */
interface Row {
  what: string;
  who?: 'gitops' | 'alice';
  objects: () => object[];
  at: ['generationclasses' | 'platforms' | 'clustergenerations' | 'generationpools' | 'cutovers', string];
  says: [type: string, status: 'True' | 'False' | 'Unknown', reason: string];
  message: RegExp;
}

const one = { web: { machines: 1 } };
const template = (ec2: object) => ({ web: { machines: 1, template: { ec2: { ...TEMPLATE.ec2, ...ec2 } } } });
const secret = (name: string, accessKeyId: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'generations-system' },
  stringData: { accessKeyId, secretAccessKey: 'secret' },
});
const withSecret = (name: string, key: string) =>
  aClass(name, world.cloud, {
    ec2: {
      region: 'us-east-1',
      endpoint: world.cloud,
      credentialsSecretRef: { namespace: 'generations-system', name: key },
    },
  });

const ROWS: Row[] = [
  {
    what: 'a platform with an unknown class',
    objects: () => [aPlatform('classless', 'nowhere')],
    at: ['platforms', 'classless'],
    says: ['Ready', 'False', 'ClassNotFound'],
    message: /^GenerationClass nowhere does not exist: create it$/,
  },
  {
    what: 'a generation with an unknown class',
    objects: () => [aGeneration('classless', 'site', one, { className: 'nowhere' })],
    at: ['clustergenerations', 'classless'],
    says: ['Accepted', 'False', 'ClassNotFound'],
    message: /^GenerationClass nowhere does not exist: create it$/,
  },
  {
    what: 'a generation of an unknown platform',
    objects: () => [aGeneration('homeless', 'nowhere', one)],
    at: ['clustergenerations', 'homeless'],
    says: ['Accepted', 'False', 'PlatformNotFound'],
    message: /^Platform nowhere does not exist: create it, or delete this generation and name another$/,
  },
  {
    what: 'a cutover of an unknown platform',
    objects: () => [aCutover('homeless', 'nowhere', '', 'steady')],
    at: ['cutovers', 'homeless'],
    says: ['Blocked', 'True', 'PlatformNotFound'],
    message: /^Platform nowhere does not exist: create it$/,
  },
  {
    what: 'a cutover to an unknown generation',
    objects: () => [aCutover('aimless', 'site', 'steady', 'nothing')],
    at: ['cutovers', 'aimless'],
    says: ['Blocked', 'True', 'TargetNotFound'],
    message: /^ClusterGeneration nothing does not exist: create it$/,
  },
  {
    what: 'an endpoint that does not answer',
    objects: () => [aClass('dead', 'http://127.0.0.1:9')],
    at: ['generationclasses', 'dead'],
    says: ['Reachable', 'False', 'NoAnswer'],
    message:
      /http:\/\/127\.0\.0\.1:9 failed: ECONNREFUSED.* Check spec\.ec2\.endpoint and spec\.ec2\.region of the GenerationClass/,
  },
  {
    what: 'a generation whose cloud does not answer',
    objects: () => [aGeneration('unanswered', 'site', one, { className: 'dead' })],
    at: ['clustergenerations', 'unanswered'],
    says: ['Ready', 'False', 'Unknown'],
    message: /http:\/\/127\.0\.0\.1:9 failed: ECONNREFUSED/,
  },
  {
    what: 'a scaled clock at a cloud that is not of this machine',
    objects: () => [aClass('elsewhere', 'http://192.0.2.1:80')],
    at: ['generationclasses', 'elsewhere'],
    says: ['Accepted', 'False', 'InvalidTemplate'],
    message: /the operator runs at time scale 30, .* Start the operator with time scale 1\.$/,
  },
  {
    what: 'credentials that the cloud refuses',
    objects: () => [withSecret('stranger', 'stranger')],
    at: ['generationclasses', 'stranger'],
    says: ['Reachable', 'False', 'Unauthorized'],
    message:
      /was refused: AuthFailure: .*Check the credentials of the GenerationClass \(spec\.ec2\.credentialsSecretRef/,
  },
  {
    what: 'a generation whose credentials the cloud refuses',
    objects: () => [aGeneration('stranger', 'site', one, { className: 'stranger' })],
    at: ['clustergenerations', 'stranger'],
    says: ['Ready', 'False', 'Unauthorized'],
    message: /was refused: AuthFailure/,
  },
  {
    what: 'credentials that are not there',
    objects: () => [withSecret('keyless', 'keyless')],
    at: ['generationclasses', 'keyless'],
    says: ['Reachable', 'False', 'Unauthorized'],
    message: /^Secret generations-system\/keyless with the credentials cannot be read: .*not found/,
  },
  {
    what: 'an unknown role',
    objects: () => [aGeneration('misfit', 'site', { web: { role: 'wbe', machines: 1 } })],
    at: ['clustergenerations', 'misfit'],
    says: ['Accepted', 'False', 'UnknownRole'],
    message: /^pool web has role wbe; Platform site has load-balancer, web: add the role there, or correct the pool$/,
  },
  {
    what: 'a template without the block of its provider',
    objects: () => [aGeneration('blockless', 'site', { web: { machines: 1, template: { labels: { a: 'b' } } } })],
    at: ['clustergenerations', 'blockless'],
    says: ['Accepted', 'False', 'InvalidTemplate'],
    message:
      /^the template of pool web has no ec2 block, and GenerationClass local is of provider ec2: add spec\.pools\[\]\.template\.ec2$/,
  },
  {
    what: 'an image that does not exist',
    objects: () => [aGeneration('imageless', 'site', template({ launchTemplate: { id: 'lt-0bad', version: '1' } }))],
    at: ['generationpools', 'imageless.web'],
    says: ['Ready', 'False', 'InvalidTemplate'],
    message: /was refused: InvalidAMIID\.NotFound: .*ami-0gone/,
  },
  {
    what: 'the generation of that image',
    objects: () => [],
    at: ['clustergenerations', 'imageless'],
    says: ['Ready', 'False', 'InvalidTemplate'],
    message: /^0 of 1 machines launched, 0 ready; pool imageless\.web: .*InvalidAMIID\.NotFound/,
  },
  {
    what: 'a launch template that does not exist',
    objects: () => [
      aGeneration('templateless', 'site', template({ launchTemplate: { id: 'lt-0none', version: '1' } })),
    ],
    at: ['clustergenerations', 'templateless'],
    says: ['Accepted', 'False', 'InvalidTemplate'],
    message: /^the template of pool web: .*lt-0none/,
  },
  {
    what: 'a version of a launch template that does not exist',
    objects: () => [aGeneration('versionless', 'site', template({ launchTemplate: { id: 'lt-0abc', version: '99' } }))],
    at: ['clustergenerations', 'versionless'],
    says: ['Accepted', 'False', 'InvalidTemplate'],
    message: /^the template of pool web: .*99/,
  },
  {
    what: 'a machine type that does not exist',
    objects: () => [aGeneration('typeless', 'site', template({ instanceType: 'z9.huge' }))],
    at: ['clustergenerations', 'typeless'],
    says: ['Accepted', 'False', 'InvalidTemplate'],
    message: /^the template of pool web: .*z9\.huge/,
  },
  {
    what: 'a subnet that does not exist',
    objects: () => [aClass('subnetless', world.cloud, { subnets: [{ id: 'subnet-x', zone: 'us-east-1a' }] })],
    at: ['generationclasses', 'subnetless'],
    says: ['Accepted', 'False', 'InvalidTemplate'],
    message: /subnet-x/,
  },
  {
    what: 'a generation in a subnet that does not exist',
    objects: () => [aGeneration('subnetless', 'site', one, { className: 'subnetless' })],
    at: ['clustergenerations', 'subnetless'],
    says: ['Accepted', 'False', 'ClassNotAccepted'],
    message: /^GenerationClass subnetless is not accepted: .*subnet-x/,
  },
  {
    what: 'a subnet in another zone than written',
    objects: () => [aClass('misplaced', world.cloud, { subnets: [{ ...SUBNETS[0], zone: 'us-east-1c' }] })],
    at: ['generationclasses', 'misplaced'],
    says: ['Accepted', 'False', 'ZoneMismatch'],
    message: /^subnet-a is in us-east-1a, not in us-east-1c: correct spec\.subnets of GenerationClass misplaced$/,
  },
];

/** Fields that this version does not carry out yet, each with a spec that sets it. */
const UNBUILT: Record<'platforms' | 'clustergenerations', [field: string, spec: object][]> = {
  platforms: [
    ['spec.recovery', { recovery: 'Manual' }],
    ['spec.recovery', { recovery: 'Fastest' }],
  ],
  clustergenerations: [['spec.adopt', { adopt: true }]],
};

const unbuiltRows: Row[] = Object.entries(UNBUILT).flatMap(([plural, fields]) =>
  fields.map(([field, spec], n): Row => {
    const name = `unbuilt-${n}`;
    const at = [plural, name] as Row['at'];
    return {
      what: `${plural} ${field} (${n}), which is not built`,
      objects: () => [plural === 'platforms' ? aPlatform(name, 'local', spec) : aGeneration(name, 'site', one, spec)],
      at,
      says: [plural === 'platforms' ? 'Ready' : 'Accepted', 'False', 'NotImplemented'],
      message: new RegExp(
        `${name} asks for what this version does not do yet: ${field.replace(/[[\].]/g, '\\$&')}\\. Nothing is done until these are left out$`,
      ),
    };
  }),
);

const expectSteady = async () => {
  expect(aliveOf(await world.ledger(), 'steady').filter(({ stopped }) => !stopped)).toHaveLength(STEADY);
  expect(has('Ready', 'True')((await world.get('clustergenerations', 'steady'))!)).toBe(true);
  expect((await world.get('platforms', 'site'))!.status.live?.name).toBe('steady');
};

describe('what people write', () => {
  beforeAll(() => world.apply('admin', secret('stranger', 'AKIASTRANGER0000000')));
  afterEach(expectSteady);

  it.each([...ROWS, ...unbuiltRows])(
    '$what',
    async ({ objects, at: [plural, name], says: [type, status, reason], message }) => {
      const list = objects() as { kind: string }[];
      const writer = (kind: string) => (kind === 'GenerationClass' || kind === 'Platform' ? 'gitops' : 'alice');
      for (const object of list) await world.apply(writer(object.kind), object);
      const object = await world.until(plural, name, `to say ${reason}`, has(type, status, reason), 20_000);
      expect(condition(object, type)?.message).toMatch(message);
      expect(condition(object, 'Ready')?.status).not.toBe('True');
    },
    40_000,
  );

  /** All but the launch that is refused again and again, ever more rarely, and is counted. */
  const quiet = async () =>
    Object.fromEntries(Object.entries(await versions(world)).filter(([name]) => !name.includes('/imageless')));

  it('costs no machine, no write and few calls as long as nothing changes', async () => {
    const ledger = await world.ledger();
    expect(ledger.machines).toHaveLength(STEADY);
    await renewals(world, 2);
    const before = { versions: await quiet(), calls: (await world.ledger()).calls.length, at: Date.now() };
    await renewals(world, 2);
    expect(await quiet()).toEqual(before.versions);
    const minutes = ((Date.now() - before.at) * SCALE) / 60_000;
    expect(((await world.ledger()).calls.length - before.calls) / minutes).toBeLessThan(150);
  }, 40_000);

  it('can be taken back', async () => {
    for (const plural of ['cutovers', 'clustergenerations', 'platforms'] as const) {
      const names = (await world.list(plural)).map(({ metadata }) => metadata.name);
      const wrong = names.filter((name) => !['to-steady', 'steady', 'site'].includes(name));
      const { stderr } = await world.kubectl('gitops', 'delete', plural, ...wrong, '--timeout=30s');
      expect(stderr).toBe('');
    }
  }, 60_000);
});

describe('what is taken from the operator while it works', () => {
  afterEach(expectSteady);
  const ready = (cutover: Cutover) => condition(cutover, 'Ready');
  const succeeded = ({ status }: Cutover) => status.outcome === 'Succeeded';

  beforeAll(async () => {
    await world.apply('gitops', aPlatform('edge', 'local', { traffic: TRAFFIC }));
    const pools = { lb: { role: 'load-balancer', machines: 2 }, web: { machines: 1 } };
    await world.apply('alice', aGeneration('edge-1', 'edge', pools));
    await world.apply('admin', aWorkload('edge', 'edge-1', 1));
    await world.until('clustergenerations', 'edge-1', 'to be ready', has('Ready', 'True'));
  }, 90_000);

  it('the right to list pods: the cutover says so, and goes on when it is back', async () => {
    const { stdout } = await world.kubectl('admin', 'get', 'clusterrole', 'generations-operator', '-o', 'json');
    const { rules } = JSON.parse(stdout) as { rules: { resources: string[] }[] };
    const setRules = (list: object[]) =>
      world.kubectl(
        'admin',
        'patch',
        'clusterrole',
        'generations-operator',
        '--type=merge',
        '-p',
        JSON.stringify({ rules: list }),
      );
    await setRules(rules.filter(({ resources }) => !resources.includes('pods')));
    // At the cloud, too, something is not allowed: what comes after.
    await world.addFault({
      name: 'no-associate',
      operations: ['AssociateAddress'],
      effect: { error: 'UnauthorizedOperation' },
    });
    await world.apply('alice', aCutover('to-edge-1', 'edge', '', 'edge-1'));
    const cutover = await world.until(
      'cutovers',
      'to-edge-1',
      'to say that it is forbidden',
      has('Ready', 'False', 'Forbidden'),
    );
    expect(ready(cutover)?.message).toMatch(
      /^the API server refuses what the operator has to do: list Pod: pods is forbidden: .*cannot list resource "pods"/,
    );
    expect(condition(cutover, 'Stalled')).toMatchObject({ status: 'True', reason: 'Forbidden' });
    expect(condition(cutover, 'Blocked')).toMatchObject({ status: 'True', reason: 'Forbidden' });
    expect(cutover.status.switches).toBeUndefined();
    await setRules(rules);
    await world.until('cutovers', 'to-edge-1', 'to have reserved', ({ status }) =>
      (status.steps ?? []).some(({ name, state }) => name === 'Reserve' && state === 'Done'),
    );
  }, 60_000);

  it('the right to move addresses at the cloud: the cutover is blocked, and goes on when it is back', async () => {
    const cutover = await world.until('cutovers', 'to-edge-1', 'to be blocked', has('Blocked', 'True', 'Unauthorized'));
    expect(condition(cutover, 'Blocked')?.message).toMatch(
      /AssociateAddress .* was refused: UnauthorizedOperation.* Allow this operation/,
    );
    expect((await world.ledger()).addresses.flatMap(({ history }) => history)).toEqual([]);
    await world.removeFault('no-associate');
    await world.until('cutovers', 'to-edge-1', 'to succeed', succeeded);
  }, 60_000);

  it('the right to lift protection at the cloud: the pool says so, and goes on when it is back', async () => {
    await world.apply('alice', aGeneration('edge-2', 'edge', one));
    await world.until('clustergenerations', 'edge-2', 'to be ready', has('Ready', 'True'));
    await world.addFault({
      name: 'no-modify',
      operations: ['ModifyInstanceAttribute'],
      effect: { error: 'UnauthorizedOperation' },
    });
    await world.kubectl('alice', 'delete', 'cg', 'edge-2', '--wait=false');
    const pool = await world.until(
      'generationpools',
      'edge-2.web',
      'to say why machines stay',
      has('Ready', 'False', 'Unauthorized'),
    );
    expect(condition(pool, 'Ready')?.message).toMatch(
      /ModifyInstanceAttribute .* was refused: UnauthorizedOperation.* Allow this operation/,
    );
    await world.removeFault('no-modify');
    await world.untilGone('clustergenerations', 'edge-2');
    expect(aliveOf(await world.ledger(), 'edge-2')).toEqual([]);
  }, 60_000);
});

describe('the operator', () => {
  it('has not restarted, nor logged a stack trace to a terminal, nor claimed what the ledger contradicts', () => {
    expect(world.operator.process().running()).toBe(true);
    expect(world.operator.process().output()).not.toMatch(/^\s+at /m);
    expect(world.falseClaims()).toEqual([]);
  });
});
