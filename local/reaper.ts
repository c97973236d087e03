import { spawn } from 'node:child_process';

/**
 * Waits for the end of its standard input, then kills every process of the list that is still the one that was listed (the same id
 * started at the same time) and removes the directories it was given.
 */
const script = `
list=$1; shift
cat >/dev/null
while read -r name pid started; do
  read -r line <"/proc/$pid/stat" || continue
  set -f; fields=\${line##*) }
  now=$(printf '%s' "$fields" | cut -d' ' -f20)
  [ "$now" = "$started" ] && kill -9 "$pid"
done <"$list" 2>/dev/null
for directory in "$@"; do rm -rf -- "$directory"; done
`;

/**
 * Starts a shell, in a session of its own so that no terminal's Ctrl-C reaches it, that does what `script` says when this process
 * ends. The kernel closes the pipe to it whatever this process dies of.
 *
 * @returns `release`, which makes it do so now, without removing anything, and waits until it is gone
 */
export function startReaper(list: string, directories: ReadonlyArray<string>): { release(): Promise<void> } {
  const shell = spawn('/bin/sh', ['-c', script, 'reaper', list, ...directories], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const exited = new Promise((resolve) => {
    shell.once('exit', resolve);
    shell.once('error', resolve);
  });
  shell.unref();
  // The pipe must not keep this process alive either.
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  return {
    async release() {
      shell.ref();
      shell.kill('SIGKILL');
      await exited;
    },
  };
}
