import { execFile } from 'node:child_process';

export interface CommandResult {
  /** Exit status; null when a signal ended it, the time limit's included. */
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** Goes to its stdin. */
  input?: string;
  /** Added to this process's own environment. */
  env?: Record<string, string>;
  /** Real ms; 60 s unless told. */
  limitMs?: number;
}

/** Runs a program to its end. Its exit status is a result, not an error; it rejects only when the program cannot be started. */
export function runCommand(
  command: string,
  args: ReadonlyArray<string>,
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { input = '', env, limitMs = 60_000 } = options;
  return new Promise((resolve, reject) => {
    const limits = {
      timeout: limitMs,
      killSignal: 'SIGKILL',
      maxBuffer: 256 * 1024 * 1024,
      env: { ...process.env, ...env },
    } as const;
    const child = execFile(command, [...args], limits, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ status: error.code, stdout, stderr });
      else if (error.signal) resolve({ status: null, stdout, stderr });
      else reject(error);
    });
    // A program that ends without reading its input is no failure of ours.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
