import type { ClusterGeneration, GenerationClass, Platform } from '../../api/v1alpha1/index.ts';
import { conditionOf } from '../../domain/conditions.ts';
import { standstillOf } from '../../domain/freeze.ts';
import { notImplemented } from '../../domain/not-implemented.ts';
import type { ProviderError } from '../../providers/provider.ts';

/** What is wrong with a generation as it stands. */
export interface Objection {
  reason: string;
  message: string;
}

export interface AcceptInput {
  generation: ClusterGeneration;
  platform: Platform | undefined;
  className: string | undefined;
  generationClass: GenerationClass | undefined;
  /** What the provider says against a pool's template, by pool. */
  templateErrors: ReadonlyMap<string, ProviderError>;
}

type Check = (input: AcceptInput) => Objection | undefined;

/** The checks in their order: the first objection is the one reported. */
const CHECKS: Check[] = [
  // A part of the spec that would be skipped in silence.
  ({ generation }) => {
    const message = notImplemented.generation(generation);
    return message ? { reason: 'NotImplemented', message } : undefined;
  },
  // Without its Platform nobody knows its class, its roles, nor whether it may ever go live.
  ({ generation, platform }) =>
    platform
      ? undefined
      : {
          reason: 'PlatformNotFound',
          message: `Platform ${generation.spec.platform} does not exist: create it, or delete this generation and name another`,
        },
  // Whose machines are whose is not known: more of them would make it worse.
  ({ platform }) => {
    const message = platform && standstillOf(platform);
    return message ? { reason: 'Frozen', message } : undefined;
  },
  ({ className, generationClass }) =>
    generationClass
      ? undefined
      : { reason: 'ClassNotFound', message: `GenerationClass ${className} does not exist: create it` },
  // A role is what traffic and restoring go by; a mistyped one would never serve.
  ({ generation, platform }) => {
    const roles = platform?.spec.roles.map(({ name }) => name) ?? [];
    const unknown = generation.spec.pools.filter(({ role }) => !roles.includes(role));
    if (unknown.length === 0) return undefined;
    const list = unknown.map(({ name, role }) => `pool ${name} has role ${role}`).join(', ');
    return {
      reason: 'UnknownRole',
      message: `${list}; Platform ${platform?.metadata.name} has ${roles.join(', ')}: add the role there, or correct the pool`,
    };
  },
  // The template's block must be the provider's.
  ({ generation, generationClass }) => {
    const provider = generationClass?.spec.provider ?? 'ec2';
    const lacking = generation.spec.pools.filter(({ template }) => template[provider] === undefined);
    if (lacking.length === 0) return undefined;
    return {
      reason: 'InvalidTemplate',
      message: `the template of ${lacking.map(({ name }) => `pool ${name}`).join(', ')} has no ${provider} block, and GenerationClass ${generationClass?.metadata.name} is of provider ${provider}: add spec.pools[].template.${provider}`,
    };
  },
  // A class that cannot be used: its own condition says more.
  ({ generationClass }) => {
    const accepted = generationClass && conditionOf(generationClass, 'Accepted');
    if (accepted?.status !== 'False') return undefined;
    return {
      reason: 'ClassNotAccepted',
      message: `GenerationClass ${generationClass?.metadata.name} is not accepted: ${accepted.message}`,
    };
  },
  ({ templateErrors }) => {
    const [first] = templateErrors;
    if (!first) return undefined;
    const [pool, error] = first;
    return { reason: error.reason, message: `the template of pool ${pool}: ${error.message}` };
  },
];

/** Why no machine may be asked for; undefined when nothing speaks against it. */
export function objectionTo(input: AcceptInput): Objection | undefined {
  for (const check of CHECKS) {
    const objection = check(input);
    if (objection) return objection;
  }
  return undefined;
}
