import { describe, expect, it } from '@jest/globals';
import { importsOf, sourcesUnder } from './sources.ts';

/** Who may reach what takes a machine's life, or its address. Read from the sources: a fence that needs no luck. */

const sources = sourcesUnder('src').filter(({ path }) => !path.startsWith('src/simulator/'));
const imports = importsOf(sources);

const containing = (pattern: RegExp) => sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
const importersOf = (path: string) => imports.filter(({ to }) => to === path).map(({ from }) => from);

/** Files that import the AWS SDK for more than its types. */
const loading = sources
  .filter(({ text }) =>
    [...text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^;]*?['"]@aws-sdk\/[^'"]+['"]|import\(['"]@aws-sdk/gm)].some(
      ([, types]) => !types,
    ),
  )
  .map(({ path }) => path);

describe('the fence around a machine’s life', () => {
  it('sees the sources', () => {
    expect(sources.length).toBeGreaterThan(30);
    expect(containing(/AssociateAddress/)).toContain('src/providers/ec2/addresses.ts');
  });

  it('has one gate: guard/destroy.ts alone imports ec2/destroy.ts', () => {
    expect(importersOf('src/providers/ec2/destroy.ts')).toEqual(['src/guard/destroy.ts']);
  });

  it('keeps the cloud’s clients inside providers/', () => {
    const allowed = ['src/providers/ec2/destroy.ts'];
    const reaching = imports.filter(
      ({ from, to }) =>
        to.startsWith('src/providers/ec2/') && !from.startsWith('src/providers/') && !allowed.includes(to),
    );
    expect(reaching).toEqual([]);
    expect(importersOf('src/providers/ec2/account.ts').sort()).toEqual([
      'src/providers/ec2/destroy.ts',
      'src/providers/ec2/provider.ts',
    ]);
  });

  it('lets one file load the SDK, and only when it is needed', () => {
    expect(loading).toEqual(['src/providers/ec2/sdk.ts']);
    expect(importersOf('src/providers/ec2/sdk.ts')).toEqual(['src/providers/registry.ts', 'src/providers/registry.ts']);
    const registry = sources.find(({ path }) => path === 'src/providers/registry.ts')!.text;
    expect(registry.match(/.*ec2\/sdk\.ts.*/g)).toEqual([
      expect.stringMatching(/^import type /),
      expect.stringMatching(/await import\(/),
    ]);
  });

  it('names what terminates, stops or bares a machine in few places', () => {
    expect(containing(/TerminateInstancesCommand|StopInstancesCommand/).sort()).toEqual([
      'src/providers/ec2/operations.ts',
      'src/providers/ec2/sdk.ts',
    ]);
    expect(containing(/'TerminateInstances',\s*\{/)).toEqual(['src/providers/ec2/destroy.ts']);
    expect(containing(/'StopInstances',\s*\{/)).toEqual(['src/providers/ec2/destroy.ts']);
    expect(containing(/StopInstances/).sort()).toEqual([
      'src/api/v1alpha1/generationclass.ts',
      'src/providers/ec2/destroy.ts',
      'src/providers/ec2/operations.ts',
      'src/providers/ec2/sdk.ts',
    ]);
    expect(containing(/Disable(ApiTermination|ApiStop):\s*(\{\s*Value:\s*)?false/)).toEqual([
      'src/providers/ec2/destroy.ts',
    ]);
  });

  it('has nothing that gives an address back', () => {
    expect(containing(/ReleaseAddress|DisassociateAddress/)).toEqual([]);
  });
});
