import { describe, expect, it } from '@jest/globals';
import { anApiServer, aServiceTarget, EPOCH, selectorFor } from '../../test/builders/index.ts';
import { LABEL } from '../api/v1alpha1/index.ts';
import { services } from '../kube/resources.ts';
import { preview, viewPreview } from './preview.ts';
import { ForeignChange } from './target.ts';

const blue = selectorFor('blue');
const toGreen = { platform: 'us', generation: 'green' };

function world(name: string, labels: Record<string, string> = {}) {
  const server = anApiServer(() => EPOCH);
  server.seed(services, {
    metadata: { name, namespace: 'edge', uid: `uid-${name}`, resourceVersion: '1', creationTimestamp: '', labels },
    spec: { selector: blue, ports: [{ port: 80 }] },
  });
  return { server, client: server.client(), spec: aServiceTarget({ preview: { namespace: 'edge', name } }) };
}

describe('a preview', () => {
  it('is pointed at a generation', async () => {
    const { server, client, spec } = world('www-preview');
    await preview(client, spec, toGreen);
    expect(server.read(services, 'edge/www-preview')?.spec?.selector).toEqual(selectorFor('green'));
    expect(await viewPreview(client, spec, toGreen)).toMatchObject({
      origin: 'http://www-preview.edge.svc:80',
      pointed: true,
    });
  });

  it.each<[string, string, Record<string, string>]>([
    ['the target itself', 'www', {}],
    ['another Service that carries traffic', 'api', { [LABEL.traffic]: 'true' }],
  ])('that is %s is left alone: users would see what no check has seen', async (_, name, labels) => {
    const { server, client, spec } = world(name, labels);
    await expect(preview(client, spec, toGreen)).rejects.toThrow(
      new ForeignChange(
        `preview Service edge/${name} of traffic target www carries live traffic itself: give the target a Service of its own for checks`,
      ),
    );
    expect(server.read(services, `edge/${name}`)?.spec?.selector).toEqual(blue);
    expect(await viewPreview(client, spec, toGreen)).toMatchObject({ problem: { reason: 'PreviewIsLive' } });
  });
});
