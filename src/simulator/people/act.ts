/**
 * people/ are those who do something wrong at the wrong time, straight at the cloud's API. Their calls take the same
 * way as anybody's: throttled, refused and noted in the ledger under their caller's name.
 */
import type { Cloud } from '../cloud.ts';
import { performEc2 } from '../perform.ts';
import type { Person } from '../scenario/schema.ts';
import { isAnswer } from '../wire/xml.ts';

/** Plans what the scenario's people do. */
export function planPeople(cloud: Cloud): void {
  for (const person of cloud.scenario.people) {
    cloud.agenda.at(cloud.startedAt + cloud.clock.scaled(person.at), () => act(cloud, person));
  }
}

/** Does what a person does, now. */
export function act(cloud: Cloud, person: Person): void {
  const ids = person.instances ? chosen(cloud, person, person.instances) : [];
  if (person.instances && ids.length === 0) return;
  if (person.liftProtection) {
    for (const id of ids) {
      for (const attribute of ['DisableApiTermination', 'DisableApiStop']) {
        call(cloud, person, 'ModifyInstanceAttribute', { InstanceId: id, [`${attribute}.Value`]: 'false' });
      }
    }
  }
  const named = Object.fromEntries(ids.map((id, index) => [`InstanceId.${index + 1}`, id]));
  const { call: done } = call(cloud, person, person.operation, { ...named, ...person.parameters });
  cloud.log.info('a person acted', { person: person.name, operation: person.operation, code: done.code ?? 'OK' });
}

function chosen(cloud: Cloud, person: Person, filters: Record<string, string[]>): string[] {
  const parameters: Record<string, string> = {};
  for (const [index, [name, values]] of Object.entries(filters).entries()) {
    parameters[`Filter.${index + 1}.Name`] = name;
    for (const [at, value] of values.entries()) parameters[`Filter.${index + 1}.Value.${at + 1}`] = value;
  }
  const { result } = call(cloud, person, 'DescribeInstances', parameters);
  if (!('answer' in result) || !Array.isArray(result.answer.reservationSet)) return [];
  return result.answer.reservationSet
    .filter(isAnswer)
    .flatMap(({ instancesSet }) => (Array.isArray(instancesSet) ? instancesSet.filter(isAnswer) : []))
    .map(({ instanceId }) => String(instanceId));
}

function call(cloud: Cloud, person: Person, operation: string, parameters: Record<string, string>) {
  return performEc2(cloud, { name: person.caller }, [['Action', operation], ...Object.entries(parameters)]);
}
