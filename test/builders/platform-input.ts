import type { PlatformInput } from '../../src/controllers/platform/input.ts';
import { aPlatform, EPOCH } from './objects.ts';

/** What a decision about a quiet platform with nothing at the cloud rests on. */
export const aPlatformInput = (changes: Partial<PlatformInput> = {}): PlatformInput => ({
  platform: aPlatform(),
  generations: [],
  livePools: [],
  classExists: true,
  cloud: { machines: [] },
  traffic: [],
  waiting: [],
  targets: [],
  now: EPOCH,
  scaled: (ms) => ms,
  ...changes,
});
