import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ProcessGroup } from './process-group.ts';
import { startSimulator } from './simulator.ts';

let directory: string;
let group: ProcessGroup;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'simulator-test-'));
  group = new ProcessGroup(directory);
});
afterEach(async () => {
  await group.killAll();
  await rm(directory, { recursive: true });
});

/** Starts a stand-in that runs these statements. */
async function start(statements: string) {
  const program = join(directory, 'stand-in.mjs');
  await writeFile(program, statements);
  return startSimulator({ group, program, scenario: 'scenario.yaml', kubeconfig: 'cloud.yaml', timeScale: 60 });
}

describe('starting the simulated cloud', () => {
  it('waits for the line that says where it listens', async () => {
    const { url, process } = await start(`
      console.error('reading the scenario');
      setTimeout(() => console.log(JSON.stringify({ url: 'http://127.0.0.1:4567' })), 60);
      setInterval(() => {}, 1000);`);
    expect(url).toBe('http://127.0.0.1:4567');
    expect(process.running()).toBe(true);
  });

  it('passes on what it was asked for', async () => {
    const { process } = await start(`
      console.log(process.argv.slice(2).join(' '));
      console.log('{"url":"http://127.0.0.1:1"}');
      setInterval(() => {}, 1000);`);
    expect(process.output()).toContain('--scenario scenario.yaml --kubeconfig cloud.yaml --port 0 --time-scale 60\n');
  });

  it('fails with what it said when it ends instead', async () => {
    const starting = start(`console.error('scenario.yaml: subnets: required'); process.exit(2);`);
    await expect(starting).rejects.toThrow(
      'simulator ended at its start. The end of its log:\nscenario.yaml: subnets: required',
    );
  });
});
