import type { Platform } from '../../api/v1alpha1/index.ts';
import type { PlatformInput } from './input.ts';

export type Roles = NonNullable<Platform['status']['roles']>;

/** The machines of the live generation, role by role, in the order in which they are restored. */
export function rolesOf({ platform, livePools }: PlatformInput): Roles {
  return platform.spec.roles.map(({ name }) => {
    const pools = livePools.filter(({ spec }) => spec.role === name);
    const desired = pools.reduce((sum, { spec }) => sum + spec.machines, 0);
    const ready = pools.reduce((sum, { status }) => sum + (status.machines?.ready ?? 0), 0);
    return { name, machines: { desired, ready }, restored: ready >= desired };
  });
}
