import type { Protection } from '../provider.ts';
import type { Client } from './client.ts';
import { incomplete } from './errors.ts';

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

/** Whether a machine is protected. Throws ProviderError when either half cannot be read. */
export async function protectionOf(client: Client, id: string): Promise<Protection> {
  const terms = { priority: 'recovery', what: `protection of ${id}` } as const;
  // One attribute a call, again.
  const { DisableApiTermination } = await client.send(
    'DescribeInstanceAttribute',
    { InstanceId: id, Attribute: 'disableApiTermination' },
    terms,
  );
  const { DisableApiStop } = await client.send(
    'DescribeInstanceAttribute',
    { InstanceId: id, Attribute: 'disableApiStop' },
    terms,
  );
  const termination = DisableApiTermination?.Value;
  const stop = DisableApiStop?.Value;
  if (termination === undefined) throw incomplete('DescribeInstanceAttribute', `the termination protection of ${id}`);
  if (stop === undefined) throw incomplete('DescribeInstanceAttribute', `the stop protection of ${id}`);
  return { termination, stop };
}
