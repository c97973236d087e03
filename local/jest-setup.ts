import { ensureBinaries } from './binaries/build.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { controlPlaneVariable } from './testing.ts';

declare global {
  /** Between jest's setup and its teardown, which run in the same process. */
  var testControlPlane: ControlPlane | undefined;
}

/** Jest calls this once, before the first test of a run that holds a test of the project `api`. */
export default async function setup(): Promise<void> {
  const binaries = await ensureBinaries({ log: (line) => process.stderr.write(`${line}\n`) });
  globalThis.testControlPlane = await startControlPlane({ binaries });
  process.env[controlPlaneVariable] = globalThis.testControlPlane.directory;
}
