import { parseArgs } from 'node:util';
import { paths } from './paths.ts';
import { isRunning, killProcess } from './process-table.ts';
import { findSupervisor, forgetSupervisor, survivors } from './supervisor-file.ts';
import { waitFor } from './wait.ts';

/**
 * `make down`: ends what `make up` left running and waits until nothing of it is left. Logs and kubeconfigs stay for reading until the
 * next `make up`; the data is gone.
 */
const { values } = parseArgs({ options: { directory: { type: 'string', default: paths.state } } });
const { directory } = values;

/** The operator gets 10 s to hand over its lease; killing the rest takes less than one. Real ms. */
const stopLimitMs = 20_000;

const supervisor = findSupervisor(directory);
if (supervisor !== undefined) {
  killProcess(supervisor, 'SIGTERM');
  try {
    await waitFor('the supervisor to stop', { limitMs: stopLimitMs }, async () =>
      isRunning(supervisor) ? undefined : true,
    );
  } catch {
    killProcess(supervisor);
  }
}
// A supervisor that was killed by somebody else cleans nothing up; these are exactly the programs that it had started.
for (const left of survivors(directory)) killProcess(left);
await waitFor('the last programs to end', { limitMs: 10_000 }, async () =>
  survivors(directory).length === 0 ? true : undefined,
);
forgetSupervisor(directory);
process.stdout.write(supervisor === undefined ? 'Nothing was up.\n' : 'Down: no process is left.\n');
