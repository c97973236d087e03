import { addresses, live, opsLaptop, platform } from '../cast.ts';
import { readPlatform, type Stage } from '../stage.ts';

export interface MovedAddress {
  allocationId: string;
  /** Real ms until the Platform named it. */
  ms: number;
  /** What the Platform said of it. */
  message: string;
  /** It served again, and said so, once the address was back. */
  healed: boolean;
}

/** Act 10: somebody moves a public address by hand, between releases. */
export async function moveAddress(stage: Stage): Promise<MovedAddress> {
  const { tell, cloud } = stage;
  tell.act('10. Somebody moves a public address');
  tell.say('No release is under way. By hand, at the cloud, one address is pointed at an old machine.');
  const [allocationId] = addresses;
  const { addresses: all } = await cloud.state();
  const home = all.find((address) => address.allocationId === allocationId)?.instanceId ?? '';
  const [elsewhere = ''] = await cloud.laptop.machinesOf(live);
  const degraded = async () =>
    (await readPlatform(stage, platform))?.status.conditions?.find(({ type }) => type === 'Degraded');
  await stage.until(`${platform} to serve`, async () => ((await degraded())?.status === 'False' ? true : undefined));

  const from = Date.now();
  tell.does(opsLaptop.name, `AssociateAddress ${allocationId} with ${elsewhere}`);
  await cloud.laptop.moveAddress(allocationId, elsewhere);
  const said = await stage.until(`${platform} to name ${allocationId}`, async () => {
    const condition = await degraded();
    return condition?.status === 'True' && condition.message.includes(allocationId) ? condition : undefined;
  });
  const ms = Date.now() - from;
  tell.told(`${platform} is Degraded (${said.reason}): ${said.message}`);
  tell.say('The message says where the address belongs. It is put back.');
  tell.does(opsLaptop.name, `AssociateAddress ${allocationId} with ${home}`);
  await cloud.laptop.moveAddress(allocationId, home);
  const healed = await stage.until(`${platform} to serve again`, async () =>
    (await degraded())?.status === 'False' ? true : undefined,
  );
  tell.say(`${platform} serves again, and says so.`);
  return { allocationId, ms, message: said.message, healed };
}
