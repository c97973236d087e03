import type { Lagged } from './lagged.ts';

/** One Elastic IP address. */
export type Address = {
  readonly allocationId: string;
  readonly publicIp: string;
  readonly association: Lagged<Association | undefined>;
  readonly tags: Lagged<Readonly<Record<string, string>>>;
};

export type Association = {
  readonly id: string;
  readonly instanceId: string;
  readonly interfaceId: string;
  readonly privateIp: string;
};
