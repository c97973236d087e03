import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, type ProcessIdentity, startTime } from './process-table.ts';

/** The record of who keeps a local environment up; it names one process for certain. */
const fileName = 'supervisor.json';

export function recordSupervisor(directory: string): void {
  const identity: ProcessIdentity = { pid: process.pid, started: startTime(process.pid) };
  writeFileSync(join(directory, fileName), JSON.stringify(identity));
}

export function forgetSupervisor(directory: string): void {
  rmSync(join(directory, fileName), { force: true });
}

/** The process that keeps the environment of this directory up; undefined when there is none, or it has died. */
export function findSupervisor(directory: string): ProcessIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(join(directory, fileName), 'utf8');
  } catch {
    return undefined;
  }
  const identity = JSON.parse(text) as ProcessIdentity;
  return isRunning(identity) ? identity : undefined;
}

/** The programs that were started in this directory and still run. */
export function survivors(directory: string): Array<ProcessIdentity & { name: string }> {
  let text: string;
  try {
    text = readFileSync(join(directory, 'processes'), 'utf8');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .map((line) => line.split(' '))
    .map(([name = '', pid = '', started = '']) => ({ name, pid: Number(pid), started }))
    .filter(isRunning);
}
