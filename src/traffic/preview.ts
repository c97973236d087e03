import type { TrafficTarget as Spec } from '../api/v1alpha1/index.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict } from '../kube/errors.ts';
import { find } from '../kube/find.ts';
import { type Endpoint, endpointSlices, services } from '../kube/resources.ts';
import { readyEndpoints } from './endpoints.ts';
import { MANAGER, ownedByAnother, previewIsLive } from './objections.ts';
import { selectorFor } from './service.ts';
import { type Destination, ForeignChange, type Problem, sameState } from './target.ts';

/** The preview Service of a target: it carries no traffic, and shows a generation to checks before any user sees it. */

type Shown = Pick<Destination, 'platform' | 'generation'>;

export interface PreviewView {
  /** `http://www-preview.edge.svc:80`, by the Service's first port. */
  origin: string;
  /** It selects the pods of the generation. */
  pointed: boolean;
  /** Where requests arrive, which may still be elsewhere. */
  endpoints: Endpoint[];
  /** Who else writes its selector. */
  problem?: Problem;
}

/** Looks at the preview of a target that has one; the problem, when there is no such Service. Throws ApiError. */
export async function viewPreview(client: KubeClient, spec: Spec, shown: Shown): Promise<PreviewView | Problem> {
  const { namespace, name } = nameOf(spec);
  const service = await find(client, services, name, { namespace });
  const port = service?.spec?.ports?.[0]?.port;
  if (!service || port === undefined)
    return {
      reason: 'PreviewNotFound',
      message: `preview Service ${namespace}/${name} of traffic target ${spec.name} ${service ? 'has no port' : 'does not exist: create it, without spec.selector'}`,
    };
  const slices = await client.list(endpointSlices, { namespace, labelSelector: `kubernetes.io/service-name=${name}` });
  const problem = previewIsLive(spec, service) ?? ownedByAnother(service);
  return {
    origin: `http://${name}.${namespace}.svc:${port}`,
    pointed: sameState(service.spec?.selector ?? {}, selectorFor(spec, shown)),
    endpoints: readyEndpoints(slices.items),
    ...(problem && { problem }),
  };
}

/**
 * Points the preview of a target at a generation, by server-side apply; does nothing when it is there. Throws
 * ForeignChange when somebody else owns its selector or has just changed it, or when it is gone; and ApiError.
 */
export async function preview(client: KubeClient, spec: Spec, shown: Shown): Promise<void> {
  const { namespace, name } = nameOf(spec);
  const service = await find(client, services, name, { namespace });
  if (!service)
    throw new ForeignChange(
      `preview Service ${namespace}/${name} of traffic target ${spec.name} was deleted: create it`,
    );
  const live = previewIsLive(spec, service);
  if (live) throw new ForeignChange(live.message);
  const selector = selectorFor(spec, shown);
  if (sameState(service.spec?.selector ?? {}, selector)) return;
  const { resourceVersion } = service.metadata;
  const body = { metadata: { name, namespace, resourceVersion }, spec: { selector } };
  try {
    await client.patch(services, name, body, { type: 'apply', namespace, fieldManager: MANAGER });
  } catch (error) {
    if (!isConflict(error)) throw error;
    const owned = ownedByAnother(service)?.message ?? 'it was changed by somebody else at the same moment';
    throw new ForeignChange(`preview Service ${namespace}/${name} cannot be pointed at ${shown.generation}: ${owned}`);
  }
}

function nameOf({ name, preview }: Spec): { namespace: string; name: string } {
  if (!preview) throw new TypeError(`traffic target ${name} has no preview`);
  return preview;
}
