import { invalidParameterValue } from '../errors.ts';

/** What an instance does when it is shut down from within; throws for anything but stop and terminate. */
export function shutdownBehaviorOf(value: string): 'stop' | 'terminate' {
  if (value !== 'stop' && value !== 'terminate')
    throw invalidParameterValue('InstanceInitiatedShutdownBehavior', value);
  return value;
}
