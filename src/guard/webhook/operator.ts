import type { Review } from './review.ts';

const OPERATOR = 'system:serviceaccount:generations-system:generations-operator';
/** Set by the authenticator of real tokens; whoever impersonates the operator with --as has none. */
const CREDENTIAL = 'authentication.kubernetes.io/credential-id';

/** True for the operator with its own token, as the policies know it. */
export const isOperator = ({ username, extra }: Review['user']): boolean =>
  username === OPERATOR && CREDENTIAL in extra;
