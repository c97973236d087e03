import type { KubeClient, ReadOptions } from '../../kube/client.ts';

/**
 * A client whose reads give up early: while users wait, a look that hangs is worth less than another one a moment later. What is
 * given up counts as unanswered. The cloud's calls have 5 s of their own (providers/ec2/sdk.ts).
 *
 * @param limit real ms for each request
 */
export function hurried(client: KubeClient, limit: number): KubeClient {
  const within = <O extends ReadOptions>(options: O | undefined): O => {
    const late = AbortSignal.timeout(limit);
    const signal = options?.signal ? AbortSignal.any([options.signal, late]) : late;
    return { ...options, signal } as O;
  };
  return {
    ...client,
    get: (resource, name, options) => client.get(resource, name, within(options)),
    list: (resource, options) => client.list(resource, within(options)),
  };
}
