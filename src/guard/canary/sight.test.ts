import { expect, it } from '@jest/globals';
import { aPool } from '../../../test/builders/index.ts';
import { ApiError } from '../../kube/errors.ts';
import { manualClock } from '../../runtime/clock.ts';
import { sight } from './sight.ts';

/** API servers that cannot be asked one by one: a protection is believed ten seconds after it was first asked about. */
it('waits anew for the protection of each reservation, also when an earlier one was given back before it was seen', async () => {
  const clock = manualClock({ now: 0 });
  const denied = new ApiError({
    status: 403,
    reason: 'Forbidden',
    message:
      "ValidatingAdmissionPolicy 'generations-guard-pool' with binding 'generations-guard-pool' denied request: no",
  } as never);
  const client = { transport: { send: () => Promise.reject(denied) } } as never;
  const servers = { list: async () => ({ servers: [], all: false }) } as never;
  const log = { info: () => {}, warn: () => {}, error: () => {} } as never;
  const sees = sight({ client, servers, clock, log });
  expect(await sees(aPool(), 'uid-first')).toMatchObject({ seen: false });
  await clock.advance(3_600_000);
  expect(await sees(aPool(), 'uid-second')).toMatchObject({ seen: false, overdue: false });
});
