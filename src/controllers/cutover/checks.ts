import { EnvHttpProxyAgent, request } from 'undici';
import { type Cutover, LABEL, type Platform } from '../../api/v1alpha1/index.ts';
import { unreachable } from '../../kube/errors.ts';
import { preview, viewPreview } from '../../traffic/preview.ts';
import { ForeignChange } from '../../traffic/target.ts';
import type { Context } from '../context.ts';
import type { Answer, Effect } from './input.ts';

/**
 * Http checks ask the new generation through the preview Service of a target, from where the operator runs. In go the
 * checks of a Cutover, out come the answers as they were; whether they are good enough is for the steps to say.
 */

/** Longest wait for one answer. Real ms: other cutovers wait meanwhile. */
const TIMEOUT = 5_000;

/** Asks a URL: the status of its answer, or none and why, for people. Never throws. */
export type Ask = (url: string) => Promise<Omit<Answer, 'check'>>;

type HttpCheck = { name: string; http: { target: string; path: string } };

/**
 * Asks all http checks of a cutover at once. One whose preview is not, or not wholly, at the new generation is not asked:
 * the old one would answer in its place. Throws ApiError.
 *
 * @param ask for tests that have no network
 */
export async function answersOf(
  context: Context,
  cutover: Cutover,
  platform: Platform,
  ask: Ask = context.ask ?? askOverNetwork,
): Promise<Answer[]> {
  const { to } = cutover.spec;
  if (to === undefined) return [];
  const checks = (cutover.spec.verify ?? []).flatMap(({ name, http }) => (http ? [{ name, http }] : []));
  return Promise.all(
    checks.map(async (check) => ({ check: check.name, ...(await answerOf(context, check, platform, to, ask)) })),
  );
}

async function answerOf(
  { client, caches }: Context,
  { http }: HttpCheck,
  platform: Platform,
  generation: string,
  ask: Ask,
): Promise<Omit<Answer, 'check'>> {
  const spec = platform.spec.traffic.find(({ name }) => name === http.target);
  if (!spec?.preview)
    return {
      message: `Platform ${platform.metadata.name} has no traffic target ${http.target} with a preview any more`,
    };
  const shown = { platform: platform.metadata.name, generation };
  const view = await viewPreview(client, spec, shown);
  if ('message' in view) return { message: view.message };
  if (!view.pointed) return { astray: true, message: `the preview of ${http.target} does not show ${generation}` };
  const elsewhere = view.endpoints.filter(
    ({ nodeName }) => caches.nodes.get(nodeName ?? '')?.labels[LABEL.generation] !== generation,
  );
  if (view.endpoints.length === 0 || elsewhere.length > 0) {
    const message = `the preview of ${http.target} has ${view.endpoints.length} ready endpoints, ${elsewhere.length} of them not on machines of ${generation}`;
    return { message };
  }
  return ask(`${view.origin}${http.path}`);
}

/**
 * Through the proxy that the environment names (http_proxy, no_proxy), if any. A connection of its own each time: one that is
 * kept would go on leading to the pods that it began with, whatever the Service selects meanwhile. A redirect is an answer.
 */
export const askOverNetwork: Ask = async (url) => {
  const dispatcher = new EnvHttpProxyAgent({ connectTimeout: TIMEOUT });
  try {
    const { statusCode, body } = await request(url, {
      dispatcher,
      headers: { 'user-agent': 'cluster-generations' },
      headersTimeout: TIMEOUT,
      bodyTimeout: TIMEOUT,
      signal: AbortSignal.timeout(TIMEOUT),
    });
    await body.dump();
    return { status: statusCode, message: `GET ${url} was answered ${statusCode}` };
  } catch (error) {
    return { message: unreachable(error, `GET ${url}`).message };
  } finally {
    await dispatcher.destroy();
  }
};

/** Points the previews of targets at a generation. Throws ForeignChange and ApiError. */
export async function pointPreview(
  { client }: Context,
  platform: Platform | undefined,
  { targets, generation }: Extract<Effect, { do: 'preview' }>,
): Promise<void> {
  for (const target of targets) {
    const spec = platform?.spec.traffic.find(({ name }) => name === target);
    if (!platform || !spec?.preview)
      throw new ForeignChange(`traffic target ${target} has no preview in the Platform any more: put it back`);
    await preview(client, spec, { platform: platform.metadata.name, generation });
  }
}
