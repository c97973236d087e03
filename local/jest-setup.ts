import { ensureBinaries } from './binaries/build.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { describeFailure } from './errors.ts';
import { controlPlaneVariable } from './testing.ts';

declare global {
  /** Between jest's setup and its teardown, which run in the same process. */
  var testControlPlane: ControlPlane | undefined;
}

/** Jest calls this once, before the first test of a run that holds a test of the project `api`. */
export default async function setup(): Promise<void> {
  try {
    const binaries = await ensureBinaries({ log: (line) => process.stderr.write(`${line}\n`) });
    globalThis.testControlPlane = await startControlPlane({ binaries });
  } catch (error) {
    // Jest would put a stack trace around what is no fault of the code.
    const { message, status } = describeFailure(error);
    process.stderr.write(`${message}\n`);
    process.exit(status);
  }
  process.env[controlPlaneVariable] = globalThis.testControlPlane.directory;
}
