import { describe, expect, it } from '@jest/globals';
import { OPERATIONS, type Operation } from '../../src/providers/ec2/operations.ts';
import { ACCOUNT, type Act, ask, OURS, policy, ROLES, type Role } from './simulate.ts';

/** The policies of docs/iam, asked act by act: who may do what to a machine of ours, and to one that is not. */

const roles = Object.keys(ROLES) as Role[];
const onMachine = (action: string, context?: Act['context']): Act => ({
  action: `ec2:${action}`,
  resource: 'instance/i-1',
  tags: OURS,
  ...(context && { context }),
});
const onAddress = (action: string): Act => ({ action: `ec2:${action}`, resource: 'elastic-ip/eipalloc-1', tags: OURS });
const onInterface = (action: string): Act => ({ ...onMachine(action), resource: 'network-interface/eni-1' });
const setting = (attribute: string, value: string) =>
  onMachine('ModifyInstanceAttribute', { 'ec2:Attribute': attribute, [`ec2:Attribute/${attribute}`]: value });
const tagging = (action: string, ...keys: string[]) =>
  onMachine(action, {
    'aws:TagKeys': keys,
    ...(action === 'CreateTags' && Object.fromEntries(keys.map((key) => [`aws:RequestTag/${key}`, 'x']))),
  });

/** Every way that leads to the end of a machine, or to traffic without one; and who may go it. */
const ACTS: [what: string, act: Act, allowed: Role[]][] = [
  ['terminate', onMachine('TerminateInstances'), ['operator', 'terminator']],
  ['stop', onMachine('StopInstances'), ['operator']],
  ['start', onMachine('StartInstances'), ['operator', 'admin', 'developer']],
  ['reboot', onMachine('RebootInstances'), []],
  ['replace its root volume', onMachine('CreateReplaceRootVolumeTask'), []],
  ['lift termination protection', setting('DisableApiTermination', 'false'), ['operator', 'lifter']],
  ['lift stop protection', setting('DisableApiStop', 'false'), ['operator', 'lifter']],
  ['lift it in another spelling', setting('disableApiTermination', 'false'), ['operator', 'lifter']],
  ['let a halt terminate it', setting('InstanceInitiatedShutdownBehavior', 'terminate'), ['operator', 'lifter']],
  ['change what it runs', setting('UserData', 'x'), []],
  ['change its type', setting('InstanceType', 't3.nano'), []],
  ['reset an attribute', onMachine('ResetInstanceAttribute'), []],
  ['say that it is another cluster’s', tagging('CreateTags', 'generations.dev/cluster'), ['lifter']],
  ['say that it is another generation’s', tagging('CreateTags', 'generations.dev/generation-uid'), ['lifter']],
  ['say that it is live', tagging('CreateTags', 'generations.dev/live-time'), ['operator', 'lifter']],
  ['say that it was let go', tagging('CreateTags', 'generations.dev/released'), ['operator', 'lifter']],
  ['hide that in other tags', tagging('CreateTags', 'team', 'generations.dev/cluster'), []],
  [
    'say it beside what it may say',
    tagging('CreateTags', 'generations.dev/live-time', 'generations.dev/pool'),
    ['lifter'],
  ],
  ['take its cluster’s name away', tagging('DeleteTags', 'generations.dev/cluster'), ['lifter']],
  ['take its time away', tagging('DeleteTags', 'generations.dev/live-time'), ['lifter']],
  ['take all its tags away, naming none', onMachine('DeleteTags'), []],
  ['tag it, naming nothing', onMachine('CreateTags'), ['admin', 'developer']],
  ['look at it', { action: 'ec2:DescribeInstances', resource: '*' }, roles],
  ['give it a tag of one’s own', tagging('CreateTags', 'team'), ['admin', 'developer']],
  ['give its address back', onAddress('ReleaseAddress'), []],
  ['take its address away', onAddress('DisassociateAddress'), []],
  ['point an address of ours elsewhere', onAddress('AssociateAddress'), ['operator']],
  ['point another address at it', onMachine('AssociateAddress'), ['operator']],
  ['point another address at it by its interface', onInterface('AssociateAddress'), ['operator']],
];

describe('the policies of docs/iam, for a machine of ours', () => {
  const cells = ACTS.flatMap(([what, act, allowed]) =>
    roles.map((role) => [role, what, allowed.includes(role), act] as const),
  );
  it.each(cells)('%s: to %s is allowed %s', async (role, _what, allowed, act) => {
    expect(await ask(role, act)).toEqual({ allowed, unknown: [] });
  });

  it('no role of a person can go two steps of the way', async () => {
    const may = async (role: Role, act: Act) => (await ask(role, act)).allowed;
    const first = [
      setting('DisableApiTermination', 'false'),
      setting('DisableApiStop', 'false'),
      tagging('CreateTags', 'generations.dev/cluster'),
      tagging('DeleteTags', 'generations.dev/cluster'),
      onMachine('DeleteTags'),
    ];
    for (const role of roles.filter((role) => role !== 'operator')) {
      const ends = await may(role, onMachine('TerminateInstances'));
      const begins = (await Promise.all(first.map((act) => may(role, act)))).some(Boolean);
      expect([role, ends && begins]).toEqual([role, false]);
    }
  });

  const split = [policy('guard'), undefined].flatMap((guard) =>
    (['lifter', 'terminator'] as const).map((role) => [role, guard ? 'with' : 'without', guard] as const),
  );
  it.each(split)('%s stays what it is with all rights attached to it, %s the guard', async (role, _how, guard) => {
    const may = async (act: Act) => (await ask(role, act, { guard, extra: [ROLES.admin] })).allowed;
    expect({
      terminates: await may(onMachine('TerminateInstances')),
      lifts: await may(setting('DisableApiStop', 'false')),
      retags: await may(tagging('CreateTags', 'generations.dev/cluster')),
      removesTags: await may(tagging('DeleteTags', 'generations.dev/cluster')),
    }).toEqual({
      terminates: role === 'terminator',
      lifts: role === 'lifter',
      retags: role === 'lifter',
      removesTags: role === 'lifter',
    });
    for (const other of ['lifter', 'terminator', 'operator']) {
      const act = { action: 'sts:AssumeRole', resource: `arn:aws:iam::${ACCOUNT}:role/generations-${other}` };
      expect([other, await may(act)]).toEqual([other, false]);
    }
  });
});

describe('the policies of docs/iam, for a machine that is nobody’s', () => {
  const bare = (act: Act): Act => ({ ...act, tags: { team: 'shop' } });

  it('are not in the way of those who may', async () => {
    for (const role of ['admin', 'developer'] as const)
      for (const act of [
        onMachine('TerminateInstances'),
        onMachine('StopInstances'),
        setting('UserData', 'x'),
        tagging('CreateTags', 'team'),
        onMachine('DeleteTags'),
      ])
        expect([role, act.action, await ask(role, bare(act))]).toEqual([
          role,
          act.action,
          { allowed: true, unknown: [] },
        ]);
  });

  it('let the operator do nothing to it', async () => {
    for (const act of [
      onMachine('TerminateInstances'),
      onMachine('StopInstances'),
      onMachine('StartInstances'),
      setting('DisableApiTermination', 'false'),
      tagging('CreateTags', 'generations.dev/live-time'),
      onAddress('AssociateAddress'),
    ])
      for (const tags of [{ team: 'shop' }, { ...OURS, 'generations.dev/cluster': 'ANOTHER-UID' }])
        expect([act.action, (await ask('operator', { ...act, tags })).allowed]).toEqual([act.action, false]);
  });

  it('let the two roles of people do nothing to it, but name it', async () => {
    const acts = [onMachine('TerminateInstances'), setting('DisableApiTermination', 'false'), onMachine('DeleteTags')];
    for (const role of ['lifter', 'terminator'] as const)
      for (const act of acts)
        expect([role, act.action, (await ask(role, bare(act))).allowed]).toEqual([role, act.action, false]);
  });

  it('let the operator point no address at it', async () => {
    for (const tags of [{ team: 'shop' }, { ...OURS, 'generations.dev/cluster': 'ANOTHER-UID' }])
      for (const act of [onMachine('AssociateAddress'), onInterface('AssociateAddress')])
        expect([act.resource, (await ask('operator', { ...act, tags })).allowed]).toEqual([act.resource, false]);
  });

  it('let nobody but the lifter pass it off as ours', async () => {
    for (const role of roles)
      expect([role, (await ask(role, bare(tagging('CreateTags', 'generations.dev/cluster')))).allowed]).toEqual([
        role,
        role === 'lifter',
      ]);
  });
});

describe('the operator’s policy', () => {
  const launch = (tags: Record<string, string>, market = 'on-demand'): Act => ({
    action: 'ec2:RunInstances',
    resource: 'instance/i-new',
    context: {
      'ec2:InstanceMarketType': market,
      ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    },
  });
  const tagAtLaunch = (resource: string): Act => ({
    action: 'ec2:CreateTags',
    resource,
    context: {
      'ec2:CreateAction': 'RunInstances',
      'aws:TagKeys': ['Name', 'generations.dev/cluster', 'generations.dev/role'],
    },
  });
  const needed: Record<Operation, Act[]> = {
    AssociateAddress: [onAddress('AssociateAddress'), onMachine('AssociateAddress'), onInterface('AssociateAddress')],
    CreateTags: [
      tagging('CreateTags', 'generations.dev/live-time'),
      tagAtLaunch('instance/i-1'),
      tagAtLaunch('network-interface/eni-1'),
      tagAtLaunch('volume/vol-1'),
    ],
    DescribeAddresses: [{ action: 'ec2:DescribeAddresses', resource: '*' }],
    DescribeInstanceAttribute: [onMachine('DescribeInstanceAttribute')],
    DescribeInstances: [{ action: 'ec2:DescribeInstances', resource: '*' }],
    DescribeInstanceTypes: [{ action: 'ec2:DescribeInstanceTypes', resource: '*' }],
    DescribeLaunchTemplateVersions: [{ action: 'ec2:DescribeLaunchTemplateVersions', resource: '*' }],
    DescribeSubnets: [{ action: 'ec2:DescribeSubnets', resource: '*' }],
    GetServiceQuota: [
      {
        action: 'servicequotas:GetServiceQuota',
        resource: `arn:aws:servicequotas:us-east-1:${ACCOUNT}:ec2/L-1216C47A`,
      },
    ],
    ModifyInstanceAttribute: [
      setting('DisableApiTermination', 'true'),
      setting('DisableApiStop', 'false'),
      setting('InstanceInitiatedShutdownBehavior', 'stop'),
    ],
    RunInstances: [
      launch(OURS),
      { action: 'ec2:RunInstances', resource: 'arn:aws:ec2:us-east-1::image/ami-1' },
      ...[
        'subnet/subnet-1',
        'security-group/sg-1',
        'network-interface/eni-new',
        'volume/vol-new',
        'launch-template/lt-1',
        'key-pair/k',
      ].map((resource) => ({ action: 'ec2:RunInstances', resource })),
    ],
    StartInstances: [onMachine('StartInstances')],
    StopInstances: [onMachine('StopInstances')],
    TerminateInstances: [onMachine('TerminateInstances')],
  };

  it.each(OPERATIONS)('is enough for %s', async (operation) => {
    for (const act of needed[operation])
      expect([act.resource, (await ask('operator', act)).allowed]).toEqual([act.resource, true]);
  });

  it('has no action that the program does not use', () => {
    const actions = policy('operator').Statement.flatMap(({ Action }) => Action as string | string[]);
    const used = new Set([
      'iam:PassRole',
      ...OPERATIONS.map((name) => (name === 'GetServiceQuota' ? `servicequotas:${name}` : `ec2:${name}`)),
    ]);
    expect([...new Set(actions)].filter((action) => !used.has(action))).toEqual([]);
  });

  it('gives machines their own role, and nothing else any role', async () => {
    const pass = (role: string, to: string): Act => ({
      action: 'iam:PassRole',
      resource: `arn:aws:iam::${ACCOUNT}:role/${role}`,
      context: { 'iam:PassedToService': to },
    });
    expect((await ask('operator', pass('NODE-ROLE', 'ec2.amazonaws.com'))).allowed).toBe(true);
    expect((await ask('operator', pass('NODE-ROLE', 'lambda.amazonaws.com'))).allowed).toBe(false);
    expect((await ask('operator', pass('Administrator', 'ec2.amazonaws.com'))).allowed).toBe(false);
  });

  it('launches on demand, and as its own cluster’s only', async () => {
    expect((await ask('operator', launch(OURS, 'spot'))).allowed).toBe(false);
    expect((await ask('operator', launch({}))).allowed).toBe(false);
    expect((await ask('operator', launch({ ...OURS, 'generations.dev/cluster': 'ANOTHER-UID' }))).allowed).toBe(false);
  });

  it('nobody else launches a machine that passes for ours', async () => {
    for (const role of roles.filter((role) => role !== 'operator' && role !== 'lifter'))
      expect([role, (await ask(role, tagAtLaunch('instance/i-1'))).allowed]).toEqual([role, false]);
  });
});

describe('the guard', () => {
  it('fits into a service control policy', () => {
    // https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
    expect(JSON.stringify(policy('guard')).length).toBeLessThan(5120);
  });

  it.each([
    'PutRolePolicy',
    'AttachRolePolicy',
    'UpdateAssumeRolePolicy',
    'DeleteRole',
    'DeleteRolePolicy',
    'PassRole',
    'PutRolePermissionsBoundary',
  ])('keeps admins from %s on the roles that it rests on', async (action) => {
    const on = (name: string) =>
      ask('admin', { action: `iam:${action}`, resource: `arn:aws:iam::${ACCOUNT}:role/${name}` });
    expect((await on('generations-terminator')).allowed).toBe(false);
    expect((await on('shop')).allowed).toBe(true);
  });

  it.each(policy('guard').Statement.map(({ Sid }) => Sid as string))('is missed when %s is taken out', async (sid) => {
    const whole = policy('guard');
    const guard = { ...whole, Statement: whole.Statement.filter(({ Sid }) => Sid !== sid) };
    const acts = [
      ...ACTS.map(([, act]) => act),
      { action: 'iam:PutRolePolicy', resource: `arn:aws:iam::${ACCOUNT}:role/generations-lifter` },
    ];
    const opened: string[] = [];
    // A role of the operator's that somebody has widened stands for the rule about the operator.
    for (const role of ['admin', 'operator', 'lifter'] as const)
      for (const act of acts) {
        const extra = [ROLES.admin];
        const [before, after] = [await ask(role, act, { guard: whole, extra }), await ask(role, act, { guard, extra })];
        if (after.allowed && !before.allowed) opened.push(`${role} ${act.action}`);
      }
    expect(opened).not.toEqual([]);
  });
});
