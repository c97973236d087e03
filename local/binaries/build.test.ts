import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SetupError } from '../errors.ts';
import { buildFlags, entryName, refuseOtherPlatforms } from './build.ts';
import { goVersion } from './go.ts';
import { binaryModules } from './modules.ts';

const [kubernetes, etcd] = binaryModules;
const inputs = { goMod: 'module x', goSum: 'h1:abc', goVersion: 'go1.26.8' };

describe('the cache entry of a module', () => {
  it('changes with anything that could change the binaries, and with nothing else', () => {
    const name = entryName(etcd!, inputs);
    expect(entryName(etcd!, { ...inputs })).toBe(name);
    expect(name).toMatch(/^etcd-[0-9a-f]{64}$/);
    const others = [
      entryName(etcd!, { ...inputs, goMod: 'module y' }),
      entryName(etcd!, { ...inputs, goSum: 'h1:abd' }),
      entryName(etcd!, { ...inputs, goVersion: 'go1.26.9' }),
      entryName({ ...etcd!, stamps: ['main.version=2'] }, inputs),
    ];
    expect(new Set([name, ...others]).size).toBe(5);
  });

  it('is built with the version stamped into the Kubernetes binaries', () => {
    expect(buildFlags(kubernetes!).at(-1)).toContain('-X k8s.io/component-base/version.gitVersion=v1.36.3');
  });
});

describe('a machine that cannot build it', () => {
  let folder: string;
  const path = process.env.PATH;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'build-test-'));
    await writeFile(join(folder, 'go.mod'), 'module x\n\ngo 1.26.0\n');
  });
  afterEach(async () => {
    process.env.PATH = path;
    await rm(folder, { recursive: true });
  });

  it.each([
    ['darwin', 'arm64'],
    ['linux', 'arm64'],
    ['win32', 'x64'],
  ])('is told in one line: %s %s', (platform, arch) => {
    expect(() => refuseOtherPlatforms(platform, arch)).toThrow(
      new SetupError(`The local control plane runs on Linux x64 only so far; this is ${platform} ${arch}.`),
    );
    expect(() => refuseOtherPlatforms('linux', 'x64')).not.toThrow();
  });

  it('is told that Go is missing', async () => {
    process.env.PATH = folder;
    await expect(goVersion(folder)).rejects.toThrow(SetupError);
    await expect(goVersion(folder)).rejects.toThrow(/^Go is missing: .* Install Go from https:\/\/go.dev\/dl/);
  });

  it('is told that Go is too old, and which it needs', async () => {
    await writeFile(
      join(folder, 'go'),
      '#!/bin/sh\necho "go: go.mod requires go >= 1.26.0 (running go 1.19)" >&2; exit 1\n',
    );
    await chmod(join(folder, 'go'), 0o755);
    process.env.PATH = `${folder}:${path}`;
    await expect(goVersion(folder)).rejects.toThrow(SetupError);
    await expect(goVersion(folder)).rejects.toThrow(/^Go is too old: the local control plane needs Go 1\.26\.0/);
  });
});
