import type { Platform, TrafficStatus } from '../../api/v1alpha1/index.ts';
import { kstatus, type Verdict } from '../../domain/conditions.ts';
import { notImplemented } from '../../domain/not-implemented.ts';
import type { PlatformInput } from './input.ts';
import type { Roles } from './roles.ts';
import { COMPLETE, serviceOf } from './service.ts';

/** The conditions Live, Degraded and Ready of a platform. Nothing is decided here. */
export function verdictsOf(
  input: PlatformInput,
  roles: Roles,
  traffic: readonly TrafficStatus[] | undefined,
  consistent: Verdict,
): Verdict[] {
  const { live, decommissioned } = input.platform.status;
  const care = live && serviceOf(input.platform, roles, traffic ?? []);
  const standing: Verdict[] = [
    live
      ? { type: 'Live', status: true, reason: 'Live', message: `${live.name} since ${live.time}` }
      : { type: 'Live', status: false, ...noneIsLive(input) },
    { type: 'Degraded', ...(care?.degraded ?? COMPLETE) },
  ];
  const trouble = troubleOf(input, consistent);
  if (trouble)
    return [
      ...standing,
      { type: 'Ready', status: false, ...trouble },
      ...kstatus('Stalled', trouble.reason, trouble.message),
    ];
  if (care)
    return [
      ...standing,
      { type: 'Ready', ...care.ready },
      ...kstatus(care.progress, care.ready.reason, care.ready.message),
    ];
  const reason = decommissioned ? 'Decommissioned' : 'AwaitingFirstCutover';
  return [...standing, { type: 'Ready', status: true, reason, message: '' }, ...kstatus('Current', reason, '')];
}

function noneIsLive({ platform }: PlatformInput): { reason: string; message: string } {
  if (platform.status.protected === undefined)
    return { reason: 'NotKnown', message: 'Kubernetes and cloud do not agree yet: see the condition Consistent' };
  const { decommissioned } = platform.status;
  if (decommissioned)
    return {
      reason: 'Decommissioned',
      message: `Cutover ${decommissioned.cutover.name} has taken its last generation down at ${decommissioned.time}. A Cutover with from: "" begins anew`,
    };
  if (platform.status.rebound?.length)
    return {
      reason: 'PointerLost',
      message:
        'which generation was live before the restore could not be told: traffic and the tags at the cloud do not name the same one. Look where traffic goes, and apply a Cutover of mode Recovery with from: "" to that one',
    };
  return { reason: 'AwaitingFirstCutover', message: 'apply a Cutover with from: ""' };
}

function troubleOf(
  { platform, generations, classExists }: PlatformInput,
  consistent: Verdict,
): { reason: string; message: string } | undefined {
  const { live } = platform.status;
  const unbuilt = notImplemented.platform(platform);
  if (unbuilt) return { reason: 'NotImplemented', message: unbuilt };
  if (!classExists) return { reason: 'ClassNotFound', message: classNotFound(platform) };
  if (consistent.status === false || (consistent.status === 'Unknown' && platform.status.protected === undefined))
    return { reason: consistent.reason, message: consistent.message };
  if (live && !generations.some(({ metadata }) => metadata.uid === live.uid))
    return { reason: 'LiveGenerationLost', message: `${live.name} is live and does not exist any more` };
  return undefined;
}

const classNotFound = ({ spec }: Platform): string => `GenerationClass ${spec.className} does not exist: create it`;
