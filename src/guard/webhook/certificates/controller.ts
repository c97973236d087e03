/**
 * certificates/ keeps the webhook's certificate: an authority and a leaf of our own in a Secret, made by whichever
 * replica is first, served by all. In go the Secret and the time; out come the Secret, the webhook configuration's
 * caBundle and the server's certificate, in this order: who calls us must trust a certificate before it is served.
 */
import type { KubeClient } from '../../../kube/client.ts';
import { isAlreadyExists, isConflict, isForbidden, isNotFound } from '../../../kube/errors.ts';
import { find } from '../../../kube/find.ts';
import { type KubeObject, resource } from '../../../kube/resource.ts';
import { type Secret, secrets } from '../../../kube/resources.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { type Controller, controller } from '../../../runtime/controller.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Credentials } from '../server.ts';
import { bundleOf, dataOf, decide, expiryOf, type Material, materialIn, type Plan, renewalOf } from './decide.ts';
import { makeAuthority, makeLeaf } from './make.ts';

export interface CertificatesOptions {
  client: KubeClient;
  clock: Clock;
  log: Logger;
  /** Of the Secret. */
  namespace: string;
  /** DNS names and IP addresses by which the API server calls us. */
  names: readonly string[];
  /**
   * How often to look whether another replica has renewed, or somebody has installed the configuration anew. Real ms,
   * default 60 000.
   */
  checkEvery?: number | undefined;
  /** Takes a certificate into use; `expiry` in ms since the epoch. */
  serve(credentials: Credentials, expiry: number): void;
}

type WebhookConfiguration = KubeObject & {
  webhooks?: { name: string; clientConfig: { caBundle?: string } }[];
};
const configurations = resource<WebhookConfiguration>(
  'admissionregistration.k8s.io/v1',
  'ValidatingWebhookConfiguration',
  'validatingwebhookconfigurations',
  false,
);

/** Names of the Secret and of the webhook configuration. */
export const SECRET = 'generations-webhook';
export const CONFIGURATION = 'generations-guard';

/** When another replica was first. Real ms. */
const AGAIN = 50;

/** Runs on every replica, from its start. */
export function certificates(options: CertificatesOptions): Controller {
  const { client, clock, log, namespace, names, serve, checkEvery = 60_000 } = options;
  let served: string | undefined;

  const write = async (present: Secret | undefined, material: Material, signal: AbortSignal) => {
    const data = dataOf(material);
    if (present) return client.update(secrets, { ...present, data }, { signal });
    return client.create(
      secrets,
      { metadata: { name: SECRET, namespace }, type: 'kubernetes.io/tls', data },
      { signal },
    );
  };

  const take = ({ leaf }: Material) => {
    if (served === leaf.cert) return;
    serve(leaf, expiryOf(leaf.cert));
    served = leaf.cert;
    log.info('Serving a certificate', { until: new Date(expiryOf(leaf.cert)).toISOString() });
  };

  const self = controller({
    name: 'webhook-certificates',
    clock,
    log,
    maxBackoff: 30_000,
    async reconcile(_key, signal) {
      const secret = await find(client, secrets, SECRET, { namespace, signal });
      let material = materialIn(secret?.data);
      const plan = decide(material, names, clock.now());
      if (plan.what !== 'keep' || !material) {
        log.info('Making a certificate', { what: plan.what, ...('why' in plan && { why: plan.why }) });
        material = await made(plan, material, names, clock.now());
        try {
          await write(secret, material, signal);
        } catch (error) {
          // The first writer wins: what it wrote is as good as ours.
          if (isConflict(error) || isAlreadyExists(error)) return { requeueAfter: AGAIN };
          throw error;
        }
      }
      // Nobody can call us without a certificate: serving one that is not trusted yet loses nothing.
      if (served === undefined) take(material);
      await trust(client, bundleOf(material.bundle), log, signal);
      take(material);
      const due = Math.min(renewalOf(material.leaf.cert), renewalOf(material.bundle[0] ?? '')) - clock.now();
      return { requeueAfter: Math.max(AGAIN, Math.min(checkEvery, due)) };
    },
  });
  self.enqueue(SECRET);
  return self;
}

async function made(
  plan: Plan,
  material: Material | undefined,
  names: readonly string[],
  now: number,
): Promise<Material> {
  if (plan.what === 'leaf' && material) {
    const authority = { cert: material.bundle[0] ?? '', key: material.authorityKey };
    return { ...material, leaf: await makeLeaf(authority, names, now) };
  }
  const authority = await makeAuthority(now);
  return {
    bundle: [authority.cert, ...(plan.what === 'authority' ? plan.trusted : [])],
    authorityKey: authority.key,
    leaf: await makeLeaf(authority, names, now),
  };
}

/** Makes the API server trust `bundle`. Where the chart's configuration is not installed there is nobody to trust us. */
async function trust(client: KubeClient, bundle: string, log: Logger, signal: AbortSignal): Promise<void> {
  const caBundle = Buffer.from(bundle).toString('base64');
  try {
    const { metadata, webhooks = [] } = await client.get(configurations, CONFIGURATION, { signal });
    if (webhooks.every(({ clientConfig }) => clientConfig.caBundle === caBundle)) return;
    // A merge patch replaces a list as a whole: with the version of what was read, nobody's change is lost.
    const patch = {
      metadata: { resourceVersion: metadata.resourceVersion },
      webhooks: webhooks.map((one) => ({ ...one, clientConfig: { ...one.clientConfig, caBundle } })),
    };
    await client.patch(configurations, CONFIGURATION, patch, { type: 'merge', signal });
    log.info('The API server trusts the certificate now', { webhooks: webhooks.length });
  } catch (error) {
    if (!isNotFound(error) && !isForbidden(error)) throw error;
    log.warn('The webhook is not called: its ValidatingWebhookConfiguration cannot be written', {
      name: CONFIGURATION,
      error,
    });
  }
}
