import { LABEL, PLACEMENT, type Platform } from '../../api/v1alpha1/index.ts';
import { isGated } from '../../domain/tasks.ts';
import { type Pod, pods } from '../../kube/resources.ts';
import {
  type Act,
  called,
  deletion,
  exactly,
  type Family,
  type NewPod,
  NO_NAME,
  type Probe,
  probe,
  type Subject,
} from './probe.ts';

/**
 * Acts against what keeps pods of Follow and Singleton roles on the live generation, and singletons from running twice. Most are the
 * creation of a pod in the operator's own namespace, so that they need no workload; none is ever created.
 */

/** The mutating policy, which refuses nothing: it puts pods at their gate. */
const GATES_PODS = 'generations-placement';

const NAME = 'generations-canary';

/** A pod that anything would let in (Pod Security Standard restricted), but for the policies that are probed. */
const aPod = (home: string, platform: Platform, role: string, spec: object = {}): NewPod => ({
  metadata: {
    name: NAME,
    namespace: home,
    labels: { [LABEL.platform]: platform.metadata.name, [LABEL.role]: role },
  },
  spec: {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'canary',
        image: 'canary',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
    ...spec,
  },
});

/** What no policy takes out of a pod: it has to be refused, with or without the gate. */
const PINNED = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: LABEL.generation, operator: 'In', values: [NO_NAME] }] }],
    },
  },
};

/** One probe of each family about pods, in the order of FAMILIES. */
export function podProbesOf({ platform, home, stranger, gated }: Subject): Probe[] {
  const placed = placedRoleOf(platform);
  const creation = (family: Family, verb: string, act: Act | string): Probe => ({
    family,
    verb,
    target: called({ kind: 'Pod', metadata: { name: NAME, namespace: home } }),
    ...(typeof act === 'string' ? { skip: act } : { act }),
  });
  const create = (object: NewPod): Act => ({ do: 'create', resource: pods, object });
  const noRole = 'no role is Follow or Singleton';
  return [
    creation('create-pod', 'create of no known role', create(aPod(home, platform, NO_NAME))),
    creation(
      'bind-pod',
      'create on a Node',
      placed ? create(aPod(home, platform, placed.name, { nodeName: 'canary' })) : noRole,
    ),
    creation('ungate-pod', 'leave the gate off', placed ? ungated(home, platform, placed) : noRole),
    creation(
      'pin-pod',
      'pin to a generation',
      placed ? create(aPod(home, platform, placed.name, { affinity: PINNED })) : noRole,
    ),
    probe({
      family: 'start-pod',
      verb: 'start on another generation',
      kind: 'Pod',
      object: gated,
      missing: 'none waits at its gate',
      act: (it) => ({
        do: 'patch',
        resource: pods,
        object: exactly(it),
        body: { spec: { schedulingGates: null, nodeSelector: { [LABEL.generation]: NO_NAME } } },
      }),
    }),
    probe({
      family: 'delete-pod',
      verb: 'delete',
      kind: 'Pod',
      object: stranger,
      missing: `none is in ${home}`,
      act: (it) => deletion(pods, it),
    }),
  ];
}

type Role = Platform['spec']['roles'][number];

const isPlaced = ({ handover }: Role): boolean => handover !== 'Beside';

/** The role to try with: a Singleton if there is one, whose pods are given more. */
const placedRoleOf = ({ spec }: Platform): Role | undefined =>
  spec.roles.find(({ handover }) => handover === 'Singleton') ?? spec.roles.find(isPlaced);

function ungated(home: string, platform: Platform, { name, handover }: Role): Act | string {
  if (platform.spec.singletonAdmission === 'Open') return 'spec.singletonAdmission is Open';
  const finalizers = handover === 'Singleton' ? [PLACEMENT] : [];
  const amendment = { policy: GATES_PODS, gates: [PLACEMENT], finalizers };
  return { do: 'create', resource: pods, object: aPod(home, platform, name), amendment };
}

/** True of a pod whose gate only the operator lifts, and only onto the live generation. */
export const waitsForPlacement = ({ spec }: Platform, pod: Pod): boolean =>
  isGated(pod) && spec.roles.some((role) => isPlaced(role) && role.name === pod.metadata.labels?.[LABEL.role]);
