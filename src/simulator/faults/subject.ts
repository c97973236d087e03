import { versionOf } from '../actions/launch-template.ts';
import type { Cloud } from '../cloud.ts';
import { hasInterface } from '../state/instance.ts';
import type { CallSummary } from '../state/ledger.ts';
import type { Subject } from './engine.ts';

/** What a request is about: the machines that it would launch, or those that it names and that exist. */
export function subjectOf(cloud: Cloud, operation: string, caller: string, summary: CallSummary): Subject {
  if (operation === 'RunInstances') {
    const instanceType = summary.instanceType ?? templateType(cloud, summary.other ?? {});
    return { operation, caller, targets: [{ subnet: summary.subnet, instanceType, tags: summary.tags ?? {} }] };
  }
  const ids = [...(summary.instanceIds ?? []), ...(summary.resourceIds ?? []), summary.other?.InstanceId ?? ''];
  const interfaceId = summary.other?.NetworkInterfaceId;
  const behind = interfaceId === undefined ? [] : cloud.instances.all.filter((one) => hasInterface(one, interfaceId));
  const targets = [...ids.map((id) => cloud.instances.get(id)), ...behind]
    .filter((instance) => instance !== undefined)
    .map(({ subnet, type, tags }) => ({ subnet: subnet.id, instanceType: type.name, tags: tags.current }));
  return { operation, caller, targets };
}

function templateType(cloud: Cloud, other: Record<string, string>): string | undefined {
  const template = cloud.templates.get(other['LaunchTemplate.LaunchTemplateId'] ?? '');
  try {
    return template && versionOf(template, other['LaunchTemplate.Version']).instanceType;
  } catch {
    // A version that does not exist has no type; the action will refuse the request.
    return undefined;
  }
}
