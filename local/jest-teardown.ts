import './jest-setup.ts';

/** Jest calls this once, after the last test. A jest that is killed leaves nothing behind either: see process-group.ts. */
export default async function teardown(): Promise<void> {
  await globalThis.testControlPlane?.stop();
}
