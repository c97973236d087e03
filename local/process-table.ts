import { readFileSync } from 'node:fs';

/** A process as Linux knows it for certain: its id alone may have passed to another process since. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks between boot and its start. */
  started: string;
}

/** When the process was started, in ticks since boot; the empty string when there is no such process (or it is only a zombie). */
export function startTime(pid: number): string {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? '' : (fields[19] ?? '');
}

export function isRunning({ pid, started }: ProcessIdentity): boolean {
  return started !== '' && startTime(pid) === started;
}

/** Sends SIGKILL to exactly this process; nothing when it has ended. */
export function killProcess(identity: ProcessIdentity, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch {
    // It ended between the look and the signal.
  }
}
