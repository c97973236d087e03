import type { z } from 'zod';
import type { API_VERSION } from './labels.ts';

/** What kubectl prints for a kind: `kubectl get` columns. */
export interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'date' | 'boolean';
  jsonPath: string;
  /** 0 (default): always; 1: with `-o wide`. */
  priority?: number;
  description?: string;
}

/** A CEL rule of the API server with a message that says what to write instead. */
export interface Rule {
  rule: string;
  message?: string;
  messageExpression?: string;
  fieldPath?: string;
  reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired';
}

/** Everything that makes a zod schema a CustomResourceDefinition; `crds/` is generated from it. */
export interface Definition {
  kind: string;
  plural: string;
  shortNames: string[];
  description: string;
  spec: z.ZodType;
  status: z.ZodType;
  columns: PrinterColumn[];
  /** Rules over the whole object (`self.metadata.name`, `self.spec`, `self.status`). */
  rules: Rule[];
}

/** Metadata as these controllers use it. */
export interface Metadata {
  name: string;
  uid: string;
  resourceVersion: string;
  generation: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: {
    apiVersion: string;
    kind: string;
    name: string;
    uid: string;
    controller?: boolean;
    blockOwnerDeletion?: boolean;
  }[];
}

/** One object of a kind, as the API server returns it: defaults are filled in. */
export interface CustomObject<Spec, Status> {
  apiVersion: typeof API_VERSION;
  kind: string;
  metadata: Metadata;
  spec: Spec;
  status: Status;
}
