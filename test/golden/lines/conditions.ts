import type { Condition } from '../../../src/api/v1alpha1/index.ts';

/** Conditions that tell people something, when they turn; of a Cutover also what it waits for. */
export function conditionLines(
  kind: string,
  before: readonly Condition[] = [],
  after: readonly Condition[] = [],
): string[] {
  const shown = ['Ready', 'Blocked', ...(kind === 'Cutover' ? ['RollbackAvailable'] : [])];
  return after
    .filter(({ type }) => shown.includes(type))
    .flatMap((now) => {
      const old = before.find(({ type }) => type === now.type);
      const turned = old?.status !== now.status || old.reason !== now.reason;
      const { type, status, reason, message } = now;
      if (type === 'Blocked') {
        if (status === 'True' && (turned || old?.message !== message)) return [`Blocked (${reason}): ${message}`];
        return old?.status === 'True' && turned ? ['no longer Blocked'] : [];
      }
      if (kind === 'Cutover' && type === 'Ready') {
        // What Blocked says, and why it goes back, is said by a line of its own.
        if (status === 'True' || after.some((one) => isBlock(one, reason))) return [];
        if (message.startsWith('going back: ')) return [];
        return turned || old?.message !== message ? [`(${reason}) ${message}`] : [];
      }
      return turned
        ? [`${type} ${status} (${reason})${message && !(type === 'Ready' && status === 'True') ? `: ${message}` : ''}`]
        : [];
    });
}

/** What Ready says is said by Blocked already. */
const isBlock = ({ type, status, reason }: Condition, ready: string): boolean =>
  type === 'Blocked' && status === 'True' && reason === ready;
