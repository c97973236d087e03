import { describe, expect, it } from '@jest/globals';
import { aGeneration, anApiServer } from '../../test/builders/index.ts';
import { clusterGenerations } from '../kinds.ts';
import type { Context } from './context.ts';
import { afterTrouble } from './trouble.ts';

describe('a write to what is not there', () => {
  const server = anApiServer(() => 0);
  const client = server.client();
  const green = aGeneration();
  const trouble = async () => {
    const error = await client.get(clusterGenerations, 'nobody').catch((thrown: unknown) => thrown);
    return afterTrouble({ client } as unknown as Context, clusterGenerations, green, error);
  };

  it('is no trouble once the object itself is gone', async () => {
    expect(await trouble()).toBeUndefined();
  });

  it('is trouble as long as the object is there: something else is missing', async () => {
    server.seed(clusterGenerations, green);
    await expect(trouble()).rejects.toMatchObject({ status: 404 });
  });
});
