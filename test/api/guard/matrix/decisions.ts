import { uniqueName } from '../../../../local/testing.ts';
import { expectStatus, pathOf, users } from '../cluster.ts';
import { aPlatform, NOON } from '../objects.ts';
import { patch, remove } from './attempts.ts';
import type { Cast, Family, Who } from './cells.ts';
import { anotherPerson, anybody, both, nobody, people, theOperator, when } from './rules.ts';

/** What two people decide: an override, or a rebind after a restore. */
export const decision = (field: 'override' | 'rebind'): Family => {
  const content = field === 'override' ? { generation: 'ga', reason: 'subnet fire' } : { generation: 'ga', uid: 'u1' };
  const write = (value: object | null) => patch({ spec: { [field]: value } })();
  const own = (who: Who) => ({ ...content, requestedBy: users[who] });
  return {
    name: `${field === 'override' ? 'an' : 'a'} ${field}`,
    situations: ['none', 'requested', 'approved'],
    async build(cluster, situation): Promise<Cast> {
      const platform = await cluster.create({ ...aPlatform(uniqueName('pa')), status: { protected: [] } });
      const path = pathOf(platform);
      if (situation !== 'none')
        await expectStatus(200, cluster.call('person', 'PATCH', path, { spec: { [field]: own('person') } }));
      if (situation === 'approved')
        await expectStatus(
          200,
          cluster.call('second', 'PATCH', path, { spec: { [field]: { approvedBy: users.second } } }),
        );
      return { it: platform };
    },
    discard: (cluster, { it }) => remove(cluster, it),
    acts: [
      { what: 'request it', to: 'it', attempt: (_, who) => write(own(who)), legal: people, only: ['none'] },
      {
        what: "request it in another's name",
        to: 'it',
        attempt: () => write({ ...content, requestedBy: 'carol@example.com' }),
        legal: nobody,
        only: ['none'],
      },
      {
        what: 'request and approve it at once',
        to: 'it',
        attempt: (_, who) => write({ ...own(who), approvedBy: users.second }),
        legal: nobody,
        only: ['none'],
      },
      {
        what: 'approve it',
        to: 'it',
        attempt: (_, who) => write({ approvedBy: users[who] }),
        legal: anotherPerson,
        only: ['requested'],
      },
      {
        what: "approve it in another's name",
        to: 'it',
        attempt: () => write({ approvedBy: users.second }),
        legal: nobody,
        only: ['requested'],
      },
      {
        what: 'approve something else',
        to: 'it',
        attempt: (_, who) => write({ generation: 'other', approvedBy: users[who] }),
        legal: nobody,
        only: ['requested'],
      },
      {
        what: 'change what is requested',
        to: 'it',
        attempt: () => write({ generation: 'other' }),
        legal: nobody,
        only: ['requested', 'approved'],
      },
      {
        what: 'approve it again',
        to: 'it',
        attempt: (_, who) => write({ approvedBy: users[who] }),
        legal: nobody,
        only: ['approved'],
      },
      { what: 'withdraw it', to: 'it', attempt: () => write(null), legal: anybody, only: ['requested', 'approved'] },
      {
        what: 'create a Platform that has it already',
        to: 'it',
        attempt: (object, who) => {
          const { name } = object.metadata;
          const spec = { ...object.spec, [field]: own(who) };
          return {
            method: 'POST',
            path: pathOf(object).replace(/\/[^/]+$/, ''),
            body: { ...aPlatform(`${name}-new`), spec },
          };
        },
        legal: nobody,
        only: ['none'],
      },
      ...(field === 'override'
        ? [
            {
              what: 'put it in force',
              to: 'it',
              attempt: patch({ status: { override: { generation: 'ga', uid: 'u1', until: NOON } } }, '/status'),
              legal: both(theOperator, when('approved')),
            },
          ]
        : []),
    ],
  };
};
