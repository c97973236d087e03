import { z } from 'zod';
import type { Rule } from './definition.ts';

/**
 * Field types shared by the kinds. Every string and list has a bound: the API server refuses a CRD whose CEL rules
 * could cost too much, and estimates that from these bounds.
 */

/** Longest name of a generation or pool: `<generation>.<pool>` must fit in a label value (63) with room for a suffix. */
const NAME_LENGTH = 40;
export const DNS_LABEL = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';

/** The kinds of a zod schema's extra keys that reach the CRD. */
export const rules = (...list: Rule[]) => ({ 'x-kubernetes-validations': list });

/** The same type with rules added to those that it has. */
export const withRules = <T extends z.ZodType>(type: T, ...added: Rule[]): T => {
  const meta = type.meta() ?? {};
  const present = (meta['x-kubernetes-validations'] ?? []) as Rule[];
  return type.meta({ ...meta, ...rules(...present, ...added) }) as T;
};

/** A field that may be set at creation only. */
export const immutable = (field: string, instead: string): Rule => ({
  rule: 'self == oldSelf',
  message: `${field} is immutable: ${instead}`,
});

/** The same for an optional field, which a rule of its own cannot see appear or vanish: a rule of its parent. */
export const immutableIn = (parent: string, field: string, instead: string): Rule => ({
  rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
  message: `${parent}.${field} is immutable: ${instead}`,
});

/** A list whose items are merged by a key, as server-side apply and `oldSelf` rules need it. */
export const listMap = <T extends z.ZodType>(item: T, key: string, max: number, min = 0) =>
  z
    .array(item)
    .min(min)
    .max(max)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] });

/** A list of distinct strings. */
export const listSet = (item: z.ZodString, max: number, min = 0) =>
  z.array(item).min(min).max(max).meta({ 'x-kubernetes-list-type': 'set' });

/** A list that is written as a whole. */
export const listAtomic = <T extends z.ZodType>(item: T, max: number) =>
  z.array(item).max(max).meta({ 'x-kubernetes-list-type': 'atomic' });

/**
 * A string of at most `max` characters that matches a pattern (RE2, anchored). A CEL rule rather than `pattern`, whose
 * refusal shows people a regular expression: `message` says what to write.
 */
export const text = (max: number, pattern: string, message: string) =>
  z
    .string()
    .min(1)
    .max(max)
    .meta(rules({ rule: `self.matches(r'${pattern}')`, message }));

/** Name of a generation, pool, role, ...: a DNS label without dots, at most 40 characters. */
export const shortName = () =>
  text(
    NAME_LENGTH,
    DNS_LABEL,
    'a name here is a DNS label (lower-case letters, digits, inner hyphens), without dots: for example web or ga-2023-10-10',
  );

/** Name of a namespace. */
export const namespaceName = () =>
  text(63, DNS_LABEL, 'a namespace is a DNS label (lower-case letters, digits, inner hyphens): for example edge');

/** Name of any Kubernetes object. */
export const objectName = () => z.string().min(1).max(253);

/** The rule on `metadata.name` that goes with shortName. */
export const shortNameRule = (kind: string, example: string): Rule => ({
  rule: `self.metadata.name.size() <= ${NAME_LENGTH} && self.metadata.name.matches('${DNS_LABEL}')`,
  message: `a ${kind}'s name is a DNS label of at most ${NAME_LENGTH} characters, without dots: for example ${example}`,
});

/** A duration in declared time: "90s", "1h30m", "2d". */
export const duration = () =>
  text(32, '^([0-9]+(d|h|m|s))+$', 'a duration is numbers with the units d, h, m and s: for example 90s, 1h30m or 2d');

/** A moment, RFC 3339. */
export const time = () => z.string().max(40).meta({ format: 'date-time' });

/** A reference that cannot be fooled by a namesake. */
export const reference = () => z.object({ name: objectName(), uid: z.string().max(64) });

export type Reference = z.output<ReturnType<typeof reference>>;

/** Which generation is, or was, live, and since when. */
export const pointer = () => z.object({ name: shortName(), uid: z.string().max(64), time: time() });

/** How many machines, pods, ...: never negative. */
export const count = () => z.int32().min(0);

const condition = z.object({
  type: z.string().min(1).max(64),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().min(1).max(128),
  message: z.string().max(4096),
  lastTransitionTime: time(),
  observedGeneration: z.int().optional(),
});

/** A condition as `kubectl wait --for=condition=` and kstatus read it. */
export type Condition = z.output<typeof condition>;

export const conditions = () => listMap(condition, 'type', 24).optional();

/** -1 until a controller has looked: kstatus then says InProgress rather than Current. */
export const observedGeneration = () => z.int().default(-1);

/** A pod or Job template that this API passes on as it is. */
export const jobTemplate = () =>
  z.record(z.string(), z.unknown()).meta({ 'x-kubernetes-preserve-unknown-fields': true });

/** Addresses of its subnet that one machine takes. EC2's largest machines hold 15 interfaces of 50 addresses or prefixes. */
export const addressesPerMachine = () => z.int32().min(1).max(12_000);
