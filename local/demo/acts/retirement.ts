import { live, machinesPerMinute, website } from '../cast.ts';
import { webWorkloadName } from '../manifests.ts';
import { readGeneration, readPools, type Stage } from '../stage.ts';

export interface Retirement {
  /** Real ms since the epoch: retireNow was set, and the last machine was gone. */
  from: number;
  until: number;
}

/** Real ms between two lines about the machines that are left. */
const lineEveryMs = 3_000;

/** Act 8: the old generation is given up for good, and removed at a pace at which a mistake could still be stopped. */
export async function retire(stage: Stage, cutoverName: string): Promise<Retirement> {
  const { tell } = stage;
  tell.act('8. The old generation is retired and removed');
  tell.say(
    'The old machines would be kept for 48 hours. The release is good, so alice retires them now: that is for ever.',
  );
  const workload = webWorkloadName(live);
  await must(stage, 'admin', ['delete', 'deployment', workload, '-n', website.namespace]);
  const from = Date.now();
  await must(stage, 'alice', ['patch', 'cutover', cutoverName, '--type=merge', '--patch={"spec":{"retireNow":true}}']);
  const { status } = await stage.until(`${live} to be retired`, async () => {
    const seen = await readGeneration(stage, live);
    return seen?.status.retiredTime !== undefined ? seen : undefined;
  });
  tell.say(
    `${live} is retired by Cutover ${status.retiredBy?.name}. Its machines go at the destructive pace: ${machinesPerMinute} a minute.`,
  );
  let toldAt = performance.now();
  await stage.until(`the machines of ${live} to be gone`, async () => {
    const pools = await readPools(stage, live);
    if (pools.length === 0) return true;
    if (performance.now() - toldAt >= lineEveryMs) {
      const left = pools.reduce((sum, pool) => sum + (pool.status.machines?.launched ?? 0), 0);
      tell.say(`${left} machines left`);
      toldAt = performance.now();
    }
    return undefined;
  });
  const until = Date.now();
  tell.say(`All gone. The object ${live} stays, as the record.`);
  return { from, until };
}

async function must(stage: Stage, who: 'admin' | 'alice', args: string[]): Promise<void> {
  stage.tell.does(who, `kubectl ${args.join(' ')}`);
  const { status, stderr } = await stage.kubectl(who, args);
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')} failed: ${stderr.trim()}`);
}
