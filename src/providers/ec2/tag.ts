import type { Client } from './client.ts';

/** EC2's most resources in one CreateTags: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html */
const IDS_AT_ONCE = 1000;

/**
 * Sets tags on machines, a thousand a call. A call is done as a whole or not at all; of several, the first may have
 * been done when ProviderError is thrown: repeated, it does no harm.
 */
export async function tag(client: Client, ids: readonly string[], tags: Record<string, string>): Promise<void> {
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  if (list.length === 0) return;
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
    const some = ids.slice(from, from + IDS_AT_ONCE);
    const what = `tags ${Object.keys(tags).join(', ')} on ${some.length === 1 ? some[0] : `${some.length} machines`}`;
    await client.send('CreateTags', { Resources: some, Tags: list }, { priority: 'recovery', what });
  }
}
