/** What tests build their worlds from: objects with defaults, and an API server, a cloud and an operator in memory. */
export { type ApiServer, anApiServer, type Change, type Fate, refusal } from './api-server.ts';
export { aCloud, type Cloud, type LaunchFate } from './cloud.ts';
export { aCutoverInput, aHoldView, aJobView, aMember, aView } from './cutover-input.ts';
export { aCapacity, aMachine, aNode, aRefusal, CLUSTER } from './machines.ts';
export * from './objects.ts';
export { type Operator, type OperatorOptions, startOperator } from './operator.ts';
export * from './platform-input.ts';
