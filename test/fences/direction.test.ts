import { describe, expect, it } from '@jest/globals';
import { importsOf, sourcesUnder } from './sources.ts';

/** Imports point one way: a table of who may import whom, and who alone may reach what is dangerous. */

const sources = sourcesUnder('src');
const imports = importsOf(sources);
const ours = imports.filter(({ ours }) => ours);

const CONTRACT = 'src/providers/provider.ts';
const BELOW = ['src/api/', 'src/domain/', 'src/kinds.ts', 'src/kube/', 'src/runtime/', 'src/telemetry/'];

/** For each folder or file, what it may import beside itself. The first row that fits counts. */
const ALLOWED: [who: string, whom: string[]][] = [
  ['src/api/', []],
  ['src/runtime/', []],
  ['src/telemetry/', ['src/runtime/']],
  ['src/kube/', ['src/runtime/']],
  ['src/domain/', ['src/api/']],
  ['src/kinds.ts', ['src/api/', 'src/kube/resource.ts']],
  ['src/config.ts', []],
  ['src/version.ts', ['package.json']],
  ['src/start.ts', ['src/api/', 'src/kinds.ts', 'src/kube/']],
  ['src/providers/', BELOW],
  ['src/traffic/', [...BELOW, CONTRACT]],
  ['src/guard/', [...BELOW, CONTRACT, 'src/providers/ec2/destroy.ts']],
  ['src/controllers/', [...BELOW, CONTRACT, 'src/traffic/', 'src/guard/destroy.ts', 'src/guard/canary/']],
  ['src/simulator/', ['src/kube/', 'src/runtime/', 'src/telemetry/', 'src/version.ts']],
  ['src/main.ts', ['src/']],
];
const within = (path: string, place: string) => (place.endsWith('/') ? path.startsWith(place) : path === place);
const rowOf = (path: string) => ALLOWED.find(([who]) => within(path, who));

const containing = (pattern: RegExp) => sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
const importersOf = (path: string) => [...new Set(imports.filter(({ to }) => to === path).map(({ from }) => from))];

describe('imports', () => {
  it('are seen, all of them', () => {
    expect(sources.length).toBeGreaterThan(120);
    expect(ours.length).toBeGreaterThan(300);
    const exist = new Set([...sources.map(({ path }) => path), 'package.json']);
    expect(ours.filter(({ to }) => !exist.has(to))).toEqual([]);
  });

  it('have a row in the table for every file', () => {
    expect(sources.filter(({ path }) => !rowOf(path)).map(({ path }) => path)).toEqual([]);
  });

  it('point one way', () => {
    const wrong = ours.filter(({ from, to }) => {
      const [who = '', whom = []] = rowOf(from) ?? [];
      return !within(to, who) && !whom.some((place) => within(to, place));
    });
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  it('of one controller by another are few and known', () => {
    const noun = (path: string) => /^src\/controllers\/([^/]+)\//.exec(path)?.[1];
    const across = ours.filter(({ from, to }) => noun(from) && noun(to) && noun(from) !== noun(to));
    expect(across.map(({ from, to }) => `${from} imports ${to}`)).toEqual([
      'src/controllers/class/decide.ts imports src/controllers/generation/addresses.ts',
      'src/controllers/cutover/gather.ts imports src/controllers/placement/census.ts',
      'src/controllers/cutover/jobs.ts imports src/controllers/placement/gather.ts',
      'src/controllers/placement/census.ts imports src/controllers/cutover/input.ts',
      'src/controllers/platform/waiting.ts imports src/controllers/placement/gather.ts',
      'src/controllers/platform/waiting.ts imports src/controllers/placement/input.ts',
    ]);
  });

  it('of the Kubernetes client are kube/’s alone', () => {
    const others = imports.filter(({ from, to }) => to.startsWith('@kubernetes/') && !from.startsWith('src/kube/'));
    expect(others).toEqual([]);
    expect(imports.some(({ to }) => to === '@kubernetes/client-node')).toBe(true);
  });
});

describe('deletion', () => {
  it('is asked for by the interlock, of pods by placement and, of its own Nodes, by the simulator', () => {
    const importers = importersOf('src/kube/delete.ts');
    expect(importers.filter((path) => !path.startsWith('src/simulator/'))).toEqual([
      'src/controllers/placement/apply.ts',
      'src/guard/canary/attempt.ts',
      'src/guard/canary/probe.ts',
      'src/guard/destroy.ts',
    ]);
    expect(importers.some((path) => path.startsWith('src/simulator/'))).toBe(true);
    const placement = sources.find(({ path }) => path === 'src/controllers/placement/apply.ts');
    expect(placement?.text.match(/deleteObject\([^)]{0,40}/g)).toEqual([expect.stringMatching(/client,\s+pods,/)]);
  });

  it('is only tried by the canary: all that it could change anything with is a dry run', () => {
    const canary = sources.filter(({ path }) => path.startsWith('src/guard/canary/'));
    const imported = canary.flatMap(({ text }) => text.match(/^import .*kube\/delete\.ts.*$/gm) ?? []);
    expect(imported.toSorted()).toEqual([
      "import type { DeleteTarget } from '../../kube/delete.ts';",
      "import { probeDelete } from '../../kube/delete.ts';",
    ]);
    const writes = canary.flatMap(({ path, text }) =>
      (text.match(/\.(create|update|patch|send)\([^;]*;/g) ?? []).map((call) => ({ path, call })),
    );
    expect(writes).toHaveLength(3);
    for (const { path, call } of writes) {
      expect(path).toBe('src/guard/canary/attempt.ts');
      expect(call).toContain('dryRun: true');
    }
    const [deletion = ''] = containing(/export const probeDelete/);
    expect(sources.find(({ path }) => path === deletion)?.text).toMatch(/probeDelete = [^;]*dryRun: true \}\);/);
  });

  it('is sent by kube/delete.ts alone', () => {
    expect(containing(/method:\s*['"`]DELETE['"`]/i)).toEqual(['src/kube/delete.ts']);
    // The type of a method and what the webhook is asked about are the only other places that have the word.
    const words = containing(/['"`]DELETE['"`]/).filter((path) => !path.startsWith('src/guard/webhook/'));
    expect(words).toEqual(['src/kube/delete.ts', 'src/kube/transport.ts']);
    expect(containing(/deleteCollection|deletecollection/)).toEqual([]);
  });

  it('of addresses is nobody’s: only the simulator knows the call', () => {
    expect(containing(/ReleaseAddress/).filter((path) => !path.startsWith('src/simulator/'))).toEqual([]);
  });
});

describe('time and chance', () => {
  it('come from the clock', () => {
    const clock = ['src/runtime/clock.ts'];
    const operator = (paths: string[]) => paths.filter((path) => !path.startsWith('src/simulator/'));
    expect(operator(containing(/\bDate\.now\(|new Date\(\)/))).toEqual(clock);
    expect(operator(containing(/\bMath\.random\(/))).toEqual(clock);
    expect(operator(containing(/\bset(Timeout|Interval)\(/))).toEqual(clock);
  });

  it('is not slept through in a controller', () => {
    expect(
      containing(/\.sleep\(/).filter((path) => /^src\/(controllers|guard|traffic|domain|providers)\//.test(path)),
    ).toEqual([]);
  });
});
