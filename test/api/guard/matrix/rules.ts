import { isProtected, type Stage } from '../objects.ts';
import type { Cell } from './cells.ts';

/** Who may do what: the table of the matrix is written in these words. */
export type Rule = (cell: Cell) => boolean;

export const nobody: Rule = () => false;
export const anybody: Rule = () => true;

const by =
  (...names: Cell['who'][]): Rule =>
  ({ who }) =>
    names.includes(who);

/** With its own token. */
export const theOperator = by('operator');
/** By name: with its token, or as somebody who impersonates it. */
const whoeverIsCalledOperator = by('operator', 'impostor');
export const theNodeController = by('nodeController');
export const kubeletsAndNodeControllers = by('kubelet', 'nodeController');
export const people = by('person', 'admin');
export const anotherPerson = by('admin');

export const unprotected: Rule = ({ situation }) => !isProtected(situation as Stage);
export const notLive: Rule = ({ situation }) => situation !== 'live';
export const dryRun: Rule = ({ dry }) => dry;
export const when =
  (...situations: string[]): Rule =>
  ({ situation }) =>
    situations.includes(situation);

export const not =
  (rule: Rule): Rule =>
  (cell) =>
    !rule(cell);
export const both =
  (...rules: Rule[]): Rule =>
  (cell) =>
    rules.every((rule) => rule(cell));
export const either =
  (...rules: Rule[]): Rule =>
  (cell) =>
    rules.some((rule) => rule(cell));

/** The operator writes no spec of what people write. */
export const whoeverMayWriteSpecs = not(whoeverIsCalledOperator);

/** What people write is deleted by anybody with the right to, but never by the operator, which may only try. */
export const anybodyButTheOperator = either(not(whoeverIsCalledOperator), dryRun);
