import { createHash } from 'node:crypto';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory, ensureEntry } from '../cache.ts';
import { SetupError } from '../errors.ts';
import { go, goVersion } from './go.ts';
import { type BinaryModule, binaryModules } from './modules.ts';

/**
 * The programs of the local control plane, built from Go modules that are pinned here (a go.mod and go.sum per upstream project)
 * and kept outside the tree, one cache entry per module, named by the hash of all that goes into it. In: this folder and the Go
 * command. Out: the paths of the programs.
 */
export interface Binaries {
  etcd: string;
  kubeApiserver: string;
  kubeControllerManager: string;
  kubeScheduler: string;
  kubectl: string;
  kwok: string;
  helm: string;
  /** Folder of KWOK's stock stages, as its module ships them. */
  kwokStages: string;
}

export interface EnsureOptions {
  /** Told, a line at a time, what is being built: nothing at all when everything is there. */
  log: (line: string) => void;
}

/**
 * Returns the programs, building those that are missing. Several processes may call it at once.
 *
 * @throws SetupError on another platform than Linux on x64, and when Go is missing or too old; Error when a build fails
 */
export async function ensureBinaries({ log }: EnsureOptions): Promise<Binaries> {
  refuseOtherPlatforms(process.platform, process.arch);
  const folders = new Map<string, string>();
  let number = 0;
  for (const module of binaryModules) {
    folders.set(module.name, await ensureModule(module, number, log));
    number += module.binaries.length;
  }
  const at = (module: BinaryModule['name'], file: string) => join(folders.get(module) ?? '', file);
  return {
    etcd: at('etcd', 'etcd'),
    kubeApiserver: at('kubernetes', 'kube-apiserver'),
    kubeControllerManager: at('kubernetes', 'kube-controller-manager'),
    kubeScheduler: at('kubernetes', 'kube-scheduler'),
    kubectl: at('kubernetes', 'kubectl'),
    kwok: at('kwok', 'kwok'),
    helm: at('helm', 'helm'),
    kwokStages: at('kwok', 'stages'),
  };
}

/** @throws SetupError unless the binaries can be built and run here */
export function refuseOtherPlatforms(platform: string, arch: string): void {
  if (platform === 'linux' && arch === 'x64') return;
  throw new SetupError(`The local control plane runs on Linux x64 only so far; this is ${platform} ${arch}.`);
}

/** The arguments of `go build` before the output and the package. Part of the cache key. */
export function buildFlags(module: BinaryModule): string[] {
  const stamps = module.stamps.map((stamp) => `-X ${stamp}`);
  return ['build', '-trimpath', '-buildvcs=false', '-ldflags', ['-s', '-w', ...stamps].join(' ')];
}

/** Name of a module's cache entry: it changes with anything that could change the binaries. */
export function entryName(module: BinaryModule, inputs: { goMod: string; goSum: string; goVersion: string }): string {
  const text = JSON.stringify([
    buildFlags(module),
    module.binaries.map((binary) => [binary.file, binary.package]),
    module.extras,
    inputs.goVersion,
    inputs.goMod,
    inputs.goSum,
  ]);
  return `${module.name}-${createHash('sha256').update(text).digest('hex')}`;
}

async function ensureModule(module: BinaryModule, built: number, log: (line: string) => void): Promise<string> {
  const folder = join(import.meta.dirname, module.name);
  const [goMod, goSum, version] = await Promise.all([
    readFile(join(folder, 'go.mod'), 'utf8'),
    readFile(join(folder, 'go.sum'), 'utf8'),
    goVersion(folder),
  ]);
  const directory = join(cacheDirectory(), 'binaries', entryName(module, { goMod, goSum, goVersion: version }));
  return ensureEntry({ directory, log, build: (into) => buildModule({ module, folder, into, built, log }) });
}

interface ModuleBuild {
  module: BinaryModule;
  folder: string;
  into: string;
  /** How many binaries come before this module's, for "3 of 7". */
  built: number;
  log: (line: string) => void;
}

async function buildModule({ module, folder, into, built, log }: ModuleBuild): Promise<void> {
  const total = binaryModules.reduce((sum, { binaries }) => sum + binaries.length, 0);
  for (const [index, binary] of module.binaries.entries()) {
    const begin = Date.now();
    log(
      `building ${binary.file}, ${built + index + 1} of ${total}, first time only, about ${roughly(binary.coldSeconds)} ...`,
    );
    // A line every half minute: silence for minutes looks like a hang.
    const reminder = setInterval(() => log(`  still building ${binary.file}, ${seconds(begin)} so far`), 30_000);
    try {
      await go(folder, [...buildFlags(module), '-o', join(into, binary.file), binary.package]);
    } finally {
      clearInterval(reminder);
    }
    log(`built ${binary.file} in ${seconds(begin)}`);
  }
  for (const extra of module.extras) {
    const source = (await go(folder, ['list', '-m', '-f', '{{.Dir}}', extra.module])).trim();
    await cp(join(source, extra.folder), join(into, extra.into), { recursive: true });
  }
}

function seconds(begin: number): string {
  return `${Math.round((Date.now() - begin) / 1000)} s`;
}

function roughly(coldSeconds: number): string {
  return coldSeconds >= 90 ? `${Math.round(coldSeconds / 60)} minutes` : `${coldSeconds} s`;
}
