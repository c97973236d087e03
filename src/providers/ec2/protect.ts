import type { Client } from './client.ts';

/** Puts every protection on a machine that RunInstances would have given it. Done already, it does no harm. */
export async function protect(client: Client, id: string): Promise<void> {
  const terms = { priority: 'recovery', what: `protection of ${id}` } as const;
  // One attribute a call is all that EC2 takes.
  await client.send('ModifyInstanceAttribute', { InstanceId: id, DisableApiTermination: { Value: true } }, terms);
  await client.send('ModifyInstanceAttribute', { InstanceId: id, DisableApiStop: { Value: true } }, terms);
  await client.send(
    'ModifyInstanceAttribute',
    { InstanceId: id, InstanceInitiatedShutdownBehavior: { Value: 'stop' } },
    terms,
  );
}
