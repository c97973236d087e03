import { z } from 'zod';
import type { Definition } from './v1alpha1/definition.ts';
import { GROUP, VERSION } from './v1alpha1/labels.ts';

/** A schema as OpenAPI v3 has it. */
type Schema = { [key: string]: unknown };

/** What a status holds before any controller has looked at the object. */
const INITIAL_STATUS = { observedGeneration: -1 };

/**
 * A definition as the CustomResourceDefinition that the API server takes: a structural schema with defaults, CEL
 * rules, printer columns, short names and the category `generations`.
 */
export function customResourceDefinition(definition: Definition): object {
  const { kind, plural, shortNames, description, columns, rules } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Cluster',
      names: {
        kind,
        plural,
        singular: kind.toLowerCase(),
        listKind: `${kind}List`,
        shortNames,
        categories: ['generations'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: structural(definition.spec),
                status: { ...structural(definition.status), default: INITIAL_STATUS },
              },
              ...(rules.length > 0 && { 'x-kubernetes-validations': rules }),
            },
          },
        },
      ],
    },
  };
}

/** zod's JSON Schema without what a structural schema may not have. */
function structural(type: z.ZodType): Schema {
  return prune(z.toJSONSchema(type, { target: 'openapi-3.0', io: 'input' })) as Schema;
}

function prune(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(prune);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(([key, value]) => !isNoise(key, value));
  const pruned = Object.fromEntries(entries.map(([key, value]) => [key, prune(value)]));
  // A free-form object: `additionalProperties: {}` is what zod says, preserve-unknown-fields is what Kubernetes says.
  if (pruned['x-kubernetes-preserve-unknown-fields']) delete pruned.additionalProperties;
  return pruned;
}

function isNoise(key: string, value: unknown): boolean {
  if (key === '$schema') return true;
  if (key === 'minItems' && value === 0) return true;
  return (
    (key === 'maximum' && value === Number.MAX_SAFE_INTEGER) || (key === 'minimum' && value === Number.MIN_SAFE_INTEGER)
  );
}
