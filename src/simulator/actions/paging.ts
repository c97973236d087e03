import { parametersExclude, parameterValueRefused } from '../errors.ts';
import { integer, list, type Tree, text } from '../wire/parameters.ts';

/** Where a page starts (after `after`, undefined for the first) and how many items it holds at most. */
export type Page = { after: number | undefined; size: number };

/**
 * The page that MaxResults and NextToken ask for. `ids` names the list of ids that cannot be combined with
 * MaxResults. EC2 takes 5 to 1000 results; without MaxResults all are on one page.
 */
export function pageOf(parameters: Tree, ids?: string, smallest = 5, largest = 1000): Page {
  const size = integer(parameters, 'MaxResults');
  const token = text(parameters, 'NextToken');
  if (size !== undefined && (size < smallest || size > largest)) {
    throw parameterValueRefused(
      `Value ( ${size} ) for parameter maxResults is invalid. Expecting a value between ${smallest} and ${largest}.`,
    );
  }
  if (ids && size !== undefined && list(parameters, ids).length > 0) throw parametersExclude(ids, 'maxResults');
  return { after: token === undefined ? undefined : position(token), size: size ?? Number.POSITIVE_INFINITY };
}

/** The token of the page after the item at `position`. */
export function tokenFor(position: number): string {
  return Buffer.from(`after:${position}`).toString('base64url');
}

/** A page of a list that does not change, and the token for the next one. */
export function sliced<T>(items: readonly T[], { after, size }: Page): { items: T[]; nextToken: string | undefined } {
  const from = after === undefined ? 0 : after + 1;
  const to = Math.min(items.length, from + size);
  return { items: items.slice(from, to), nextToken: to < items.length ? tokenFor(to - 1) : undefined };
}

function position(token: string): number {
  const [, number] = /^after:(\d+)$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (number === undefined) throw parameterValueRefused('Unable to parse pagination token');
  return Number(number);
}
