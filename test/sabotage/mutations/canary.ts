import type { Sabotage, Target } from '../sabotage.ts';

/** A probe that is never carried out. */
const never = (family: string, find: string, replace: string): Sabotage => ({
  what: `the probe ${family}`,
  find,
  replace,
});

const NEVER = "() => 'never tried'";

/** Each probe, what makes an answer a denial, and what is done about a hole. */
export const canary: readonly Target[] = [
  {
    file: 'src/guard/canary/probes.ts',
    tests: ['src/guard/canary/'],
    slow: ['test/api/canary/probes.test.ts'],
    sabotages: [
      never('delete-generation', '(it) => deletion(clusterGenerations, it)', NEVER),
      never('delete-pool', '(it) => deletion(generationPools, it)', NEVER),
      never(
        'delete-platform',
        "'it protects nothing' : deletion(platforms, it)",
        "'it protects nothing' : 'never tried'",
      ),
      never('delete-class', '(it) => deletion(generationClasses, it)', NEVER),
      never('delete-cutover', '(it) => deletion(cutovers, it)', NEVER),
      never('delete-node', '(it) => deletion(nodes, it)', NEVER),
      never('delete-crd', '(it) => deletion(crds, it)', NEVER),
      never('strip-finalizer', "'strip the finalizer of', withoutFinalizer)", `'strip the finalizer of', ${NEVER})`),
      never('retire-generation', "'retire', retired)", `'retire', ${NEVER})`),
      never('take-down-platform', 'overridden ? nothing : takenDown(it)', "it ? 'never tried' : nothing"),
      never('forge-approval', 'approvals: [{ user: ASTRAY, planHash: ASTRAY }]', 'approvals: it.spec.approvals ?? []'),
      never(
        'relabel-pool',
        'labels: { ...it.metadata.labels, [LABEL.role]: NO_NAME }',
        'labels: { ...it.metadata.labels }',
      ),
      never('relabel-node', 'body: { metadata: { labels: { [LABEL.role]: NO_NAME } } },', 'body: {},'),
      never('cordon-node', 'body: { spec: { unschedulable: true } },', 'body: {},'),
      never('unlabel-namespace', '(it) => unlabelled(namespaces, it, LABEL.protected)', NEVER),
      never('unlabel-service', '(it) => unlabelled(services, it, LABEL.traffic)', NEVER),
      {
        what: 'the override, under which nothing is expected to be refused',
        find: 'overridden ? [] : [subject.live, subject.pool, subject.node]',
        replace: '[subject.live, subject.pool, subject.node]',
      },
    ],
  },
  {
    file: 'src/guard/canary/workloads.ts',
    tests: ['src/guard/canary/'],
    slow: ['test/api/canary/probes.test.ts'],
    sabotages: [
      never('delete-workload', '(it) => deletion((workload as Found).resource, it)', NEVER),
      never('empty-workload', 'body: { spec: { replicas: 0 } },', 'body: {},'),
      never('unmark-workload', 'body: { metadata: { labels: { [LABEL.protected]: null } } },', 'body: {},'),
    ],
  },
  {
    file: 'src/guard/canary/pods.ts',
    tests: ['src/guard/canary/'],
    slow: ['test/api/canary/probes.test.ts'],
    sabotages: [
      never('create-pod', 'create(aPod(home, platform, NO_NAME))', "'never tried'"),
      never('bind-pod', "{ nodeName: 'canary' }", '{}'),
      never('ungate-pod', 'placed ? ungated(home, platform, placed) : noRole', "placed ? 'never tried' : noRole"),
      never('pin-pod', '{ affinity: PINNED }', '{}'),
      never('start-pod', 'schedulingGates: null, nodeSelector', 'nodeSelector'),
      never('delete-pod', '(it) => deletion(pods, it)', NEVER),
      {
        what: 'a Singleton being preferred, whose pods are given more',
        find: "spec.roles.find(({ handover }) => handover === 'Singleton') ?? spec.roles.find(isPlaced)",
        replace: 'spec.roles.find(isPlaced)',
      },
      {
        what: 'pods starting without a gate on purpose',
        find: "platform.spec.singletonAdmission === 'Open'",
        replace: 'platform.spec.singletonAdmission === undefined',
      },
      {
        what: 'pods of other roles being left at gates of their own',
        find: 'isPlaced(role) && role.name ===',
        replace: 'role.name ===',
      },
    ],
  },
  {
    file: 'src/guard/canary/subject.ts',
    tests: ['src/guard/canary/'],
    sabotages: [
      {
        what: 'a Cutover being under way by its journal',
        find: '(status.generations !== undefined || (metadata.finalizers ?? []).includes(CUTOVER_FINALIZER))',
        replace: '(metadata.finalizers ?? []).includes(CUTOVER_FINALIZER)',
      },
      {
        what: 'a Cutover being under way by its finalizer',
        find: '(status.generations !== undefined || (metadata.finalizers ?? []).includes(CUTOVER_FINALIZER))',
        replace: 'status.generations !== undefined && metadata.name !== undefined',
      },
      {
        what: 'a Cutover that has ended being left alone',
        find: 'status.outcome === undefined &&\n  (status.generations',
        replace: '(status.generations',
      },
    ],
  },
  {
    file: 'src/guard/canary/judge.ts',
    tests: ['src/guard/canary/'],
    sabotages: [
      {
        what: 'an accepted act being a hole',
        find: "if (error === undefined) return { outcome: 'Hole' };",
        replace: "if (error === undefined) return { outcome: 'Denied', policy: 'generations-guard-state' };",
      },
      {
        what: 'a denial naming a policy of ours',
        find: "if (status === 403 && policy !== undefined) return { outcome: 'Denied', policy };",
        replace: "if (status === 403) return { outcome: 'Denied', policy: policy ?? '' };",
      },
      {
        what: 'a policy that cannot be evaluated being no proof',
        find: "if (policy !== undefined || mutating) return { outcome: 'Unanswered', reason };",
        replace: '',
      },
      {
        what: 'the same of a mutating policy',
        find: 'policy !== undefined || mutating)',
        replace: 'policy !== undefined)',
      },
      {
        what: 'a webhook that is down being no silence of the API server',
        find: " || (status === 500 && message.includes('failed calling webhook'))",
        replace: '',
      },
      {
        what: 'the gate of what would be created',
        find: 'gates.every((gate) => names.includes(gate)) && ',
        replace: 'names !== undefined && ',
      },
      {
        what: 'the finalizer of what would be created',
        find: ' && finalizers.every((one) => metadata.finalizers?.includes(one))',
        replace: ' && finalizers !== metadata.finalizers',
      },
      {
        what: 'no answer being no result',
        find: "  return { outcome: 'Unanswered', reason };\n}",
        replace: "  return { outcome: 'Skipped', reason, stale: false };\n}",
      },
    ],
  },
  {
    file: 'src/guard/canary/attempt.ts',
    tests: ['src/guard/canary/', 'test/fences/'],
    sabotages: [
      {
        what: 'an update being a dry run',
        find: '{ dryRun: true, subresource: act.subresource }',
        replace: '{ subresource: act.subresource }',
      },
      {
        what: 'a patch being a dry run',
        find: "{ dryRun: true, type: 'merge', namespace, subresource }",
        replace: "{ type: 'merge', namespace, subresource }",
      },
      {
        what: 'a creation being a dry run',
        find: 'client.create(act.resource, act.object, { dryRun: true })',
        replace: 'client.create(act.resource, act.object)',
      },
      {
        what: 'looking whether a dry run had an effect',
        find: "if (now?.metadata.uid !== before.uid) return 'it is gone';",
        replace: 'if (now?.metadata.uid !== before.uid || now) return undefined;',
      },
    ],
  },
  {
    file: 'src/kube/delete.ts',
    tests: ['src/guard/', 'src/kube/', 'test/fences/'],
    sabotages: [
      {
        what: 'a probed deletion being a dry run',
        find: 'deleteObject(client, resource, target, { ...options, dryRun: true });',
        replace: 'deleteObject(client, resource, target, options);',
      },
      {
        what: 'deletions naming a UID and a resourceVersion',
        find: 'preconditions: { uid, resourceVersion },',
        replace: 'preconditions: { uid },',
      },
    ],
  },
  {
    file: 'src/guard/canary/round.ts',
    tests: ['src/guard/canary/'],
    sabotages: [
      {
        what: 'the worst answer of all API servers counting',
        find: "const WORST = ['Hole', 'Denied', 'Skipped'] as const;",
        replace: "const WORST = ['Denied', 'Hole', 'Skipped'] as const;",
      },
      {
        what: 'an API server that does not answer ending its round',
        find: "if (judgement.outcome === 'Unanswered') return { results, unanswered: judgement.reason };",
        replace: "if (judgement.outcome === 'Unanswered') continue;",
      },
      {
        what: 'a hole being tried once more on fresh objects',
        find: "const repeated = first.outcome === 'Hole' ||",
        replace: 'const repeated =',
      },
      {
        what: 'a pod without its gate being a hole whoever refuses it',
        find: "return amendment && judgement.outcome === 'Denied' ? judge(undefined) : judgement;",
        replace: 'return judgement;',
      },
      {
        what: 'looking whether a creation that is amended had an effect',
        find: " || (first.outcome === 'Denied' && amendmentOf(probe.act))",
        replace: '',
      },
    ],
  },
  {
    file: 'src/guard/canary/canary.ts',
    tests: ['src/guard/canary/'],
    sabotages: [
      {
        what: 'stopping for good when a dry run had an effect',
        find: 'harm ??= effect;',
        replace: 'void effect;',
      },
      {
        what: 'asking the API server at large when none could be asked by itself',
        find: "answers = [await ask('the API server', client)];",
        replace: 'answers = [];',
      },
    ],
  },
  {
    file: 'src/guard/canary/sight.ts',
    tests: ['src/guard/canary/'],
    sabotages: [
      {
        what: 'an API server that would still let the pool go',
        find: 'if (open) return notYet(',
        replace: 'if (open && age > Number.MAX_VALUE) return notYet(',
      },
      {
        what: 'the stated wait for API servers that cannot be asked',
        find: 'if ((silent.length > 0 || !all) && age < STATED_WAIT) {',
        replace: 'if ((silent.length > 0 || !all) && age < 0) {',
      },
      {
        what: 'one API server at least that refuses',
        find: "if (judgement.outcome !== 'Denied')",
        replace: "if (judgement.outcome === 'Hole')",
      },
    ],
  },
  {
    file: 'src/guard/cloud-sample.ts',
    tests: ['src/guard/cloud-sample.test.ts'],
    sabotages: [
      {
        what: 'termination protection at the cloud',
        find: '  termination &&\n  (stop ||',
        replace: '  (stop ||',
      },
      {
        what: 'stop protection at the cloud',
        find: '  (stop ||',
        replace: '  (!stop || stop ||',
      },
      {
        what: 'protection being put back',
        find: 'await provider.protect(machine.id);',
        replace: '',
      },
      {
        what: 'only held machines being protected again',
        find: 'if (!(await isHeldNow(options, candidate, platform))) continue;',
        replace: '',
      },
      {
        what: 'people being told',
        find: "events.record({ regarding, type: 'Warning', reason: 'ProtectionLifted', action: 'Protect', note });",
        replace: 'void regarding;',
      },
    ],
  },
];
