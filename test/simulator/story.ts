import type { ScenarioInput } from '../../src/simulator/testing.ts';

/** One story: a cloud, and what is asked of it. */
export type Story = { scenario?: Partial<ScenarioInput>; accessKey?: string; run(session: Session): Promise<void> };

export type Session = {
  /** Sends a request and keeps its answer under the situation's name; returns the body. */
  ask(situation: string, operation: string, parameters?: Record<string, string>): Promise<string>;
  /** Lets declared seconds pass. */
  pass(seconds: number): Promise<void>;
};

/** Tags that need escaping. */
export const web = {
  'TagSpecification.1.ResourceType': 'instance',
  'TagSpecification.1.Tag.1.Key': 'role',
  'TagSpecification.1.Tag.1.Value': 'web & <console>',
};
/** A RunInstances of one machine. */
export const launch = (changes: Record<string, string> = {}) => ({
  MinCount: '1',
  MaxCount: '1',
  SubnetId: 'subnet-b',
  'LaunchTemplate.LaunchTemplateId': 'lt-1',
  'LaunchTemplate.Version': '1',
  ...changes,
});
/** The ids of all instances in an answer. */
export const idsIn = (xml: string) => [...xml.matchAll(/<instanceId>([^<]+)</g)].map(([, id]) => id ?? '');
