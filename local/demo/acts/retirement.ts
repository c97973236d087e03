import { live, machinesPerMinute, website } from '../cast.ts';
import { commandLine } from '../command-line.ts';
import { watchGo } from '../departure.ts';
import { webWorkloadName } from '../manifests.ts';
import { readGeneration, type Stage } from '../stage.ts';
import { tellThrottling } from '../throttling.ts';

export interface Retirement {
  /** Real ms since the epoch: retireNow was set, and the last machine was gone. */
  from: number;
  until: number;
}

/** Act 10: the old generation is given up for good, and removed at a pace at which a mistake could still be stopped. */
export async function retire(stage: Stage, cutoverName: string): Promise<Retirement> {
  const { tell } = stage;
  tell.act('11. The old generation is retired and removed');
  tell.say('The old machines would be kept for 48 hours. The release is good: alice retires them now, and for ever.');
  const workload = webWorkloadName(live);
  const from = Date.now();
  await must(stage, 'alice', ['patch', 'cutover', cutoverName, '--type=merge', '--patch={"spec":{"retireNow":true}}']);
  const { status } = await stage.until(`${live} to be retired`, async () => {
    const seen = await readGeneration(stage, live);
    return seen?.status.retiredTime !== undefined ? seen : undefined;
  });
  tell.say(
    `${live} is retired by Cutover ${status.retiredBy?.name}. Its machines may go, ${machinesPerMinute} a minute.`,
  );
  // Until now the guard would have refused it.
  await must(stage, 'admin', ['delete', 'deployment', workload, '-n', website.namespace]);
  await watchGo(stage, live);
  const until = Date.now();
  await tellThrottling(stage, 'ModifyInstanceAttribute', from);
  tell.say(`All gone. The object ${live} stays, as the record.`);
  return { from, until };
}

async function must(stage: Stage, who: 'admin' | 'alice', args: string[]): Promise<void> {
  stage.tell.does(who, commandLine(args));
  const { status, stderr } = await stage.kubectl(who, args);
  if (status !== 0) throw new Error(`${commandLine(args)} failed: ${stderr.trim()}`);
}
