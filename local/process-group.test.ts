import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ProcessGroup, waitUntilReady } from './process-group.ts';
import { isRunning, killProcess, startTime } from './process-table.ts';
import { survivors } from './supervisor-file.ts';
import { waitFor } from './wait.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'group-test-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const sleeper = { name: 'sleeper', command: '/bin/sleep', args: ['600'] };
const stubborn = {
  name: 'stubborn',
  command: '/bin/sh',
  args: ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'],
};

describe('a group of processes', () => {
  it('ends all of them, those too that ignore SIGTERM', async () => {
    const group = new ProcessGroup(directory);
    const running = [group.start(sleeper), group.start(stubborn)];
    expect(survivors(directory).map(({ name }) => name)).toEqual(['sleeper', 'stubborn']);
    await group.killAll();
    expect(running.map((one) => one.running())).toEqual([false, false]);
    expect(survivors(directory)).toEqual([]);
  });

  it('terminates a process gently, and by force when that does not help', async () => {
    const group = new ProcessGroup(directory);
    const gentle = group.start(sleeper);
    await gentle.terminate(10_000);
    expect((await gentle.exited).signal).toBe('SIGTERM');
    const other = group.start(stubborn);
    await waitUntilReady(other, 10_000, async () => other.output().includes('ready') || undefined);
    await other.terminate(20);
    expect((await other.exited).signal).toBe('SIGKILL');
    await group.killAll();
  });

  it('says which program failed at its start, with the end of its log and not of an earlier one', async () => {
    const group = new ProcessGroup(directory);
    const fail = (word: string) =>
      group.start({ name: 'etcd', command: '/bin/sh', args: ['-c', `echo ${word}; exit 3`] });
    const waiting = (word: string) => waitUntilReady(fail(word), 10_000, async () => undefined);
    await expect(waiting('first')).rejects.toThrow('etcd ended at its start. The end of its log:\nfirst');
    await expect(waiting('second')).rejects.toThrow(/log:\nsecond$/);
    await expect(waitUntilReady(group.start(sleeper), 60, async () => undefined)).rejects.toThrow(
      'waited 0.06 s for sleeper',
    );
    await group.killAll();
  });

  it('says so when a program does not exist', async () => {
    const group = new ProcessGroup(directory);
    const missing = group.start({ name: 'kwok', command: '/nowhere/kwok', args: [] });
    await expect(waitUntilReady(missing, 10_000, async () => undefined)).rejects.toThrow('ENOENT');
    await group.killAll();
  });

  it('does not outlive its owner, whatever that dies of', async () => {
    const program = `
      import { ProcessGroup } from ${JSON.stringify(join(import.meta.dirname, 'process-group.ts'))};
      const [directory, data] = process.argv.slice(1);
      const group = new ProcessGroup(directory, [data]);
      group.start(${JSON.stringify(sleeper)});
      group.start(${JSON.stringify(stubborn)});
      console.log('started');
      setInterval(() => {}, 1000);`;
    const data = await mkdtemp(join(directory, 'data-'));
    const owner = spawn(process.execPath, ['--input-type=module', '-e', program, directory, data], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => owner.stdout.once('data', resolve));
    expect(survivors(directory)).toHaveLength(2);
    owner.kill('SIGKILL');
    await waitFor('the orphans to go', { limitMs: 10_000 }, async () =>
      survivors(directory).length === 0 ? true : undefined,
    );
    await waitFor('the data to go', { limitMs: 10_000 }, async () => (existsSync(data) ? undefined : true));
  });
});

describe('a process id that has passed to another process', () => {
  it('is not mistaken for the one that was meant', () => {
    const before = { pid: process.pid, started: String(Number(startTime(process.pid)) - 1) };
    expect(isRunning(before)).toBe(false);
    expect(() => killProcess(before)).not.toThrow();
    expect(isRunning({ pid: process.pid, started: startTime(process.pid) })).toBe(true);
  });
});
