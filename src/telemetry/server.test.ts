import { describe, expect, it } from '@jest/globals';
import { silent } from '../runtime/logger.ts';
import { metrics } from './metrics.ts';
import { telemetryServer } from './server.ts';

describe('the telemetry server', () => {
  it('answers health checks with the reason, and metrics as Prometheus text, until it is stopped', async () => {
    const { registry, controller, api, watch, lease } = metrics();
    controller.reconciled('pool', 'error', 0.2);
    controller.depth('pool', 3);
    api.answered('GET', '200', 0.01);
    watch.watchOver('nodes', 'ended');
    lease.leading('operator', true);
    let unready: string | undefined = 'caches are not complete';
    const server = telemetryServer({ log: silent, host: '127.0.0.1', port: 0, registry, unready: () => unready });
    const abort = new AbortController();
    const running = server.start(abort.signal);
    const url = await server.listening;
    const get = async (path: string) => {
      const response = await fetch(url + path);
      return [response.status, await response.text()] as const;
    };
    expect(await get('/healthz')).toEqual([200, 'ok\n']);
    expect(await get('/readyz?verbose')).toEqual([503, 'caches are not complete\n']);
    unready = undefined;
    expect(await get('/readyz')).toEqual([200, 'ok\n']);
    expect((await get('/secrets'))[0]).toBe(404);
    const [status, text] = await get('/metrics');
    expect(status).toBe(200);
    for (const line of [
      'generations_reconcile_total{controller="pool",outcome="error"} 1',
      'generations_workqueue_depth{controller="pool"} 3',
      'generations_kube_api_requests_total{verb="GET",code="200"} 1',
      'generations_kube_watch_restarts_total{resource="nodes",why="ended"} 1',
      'leader{lease="operator"} 1',
    ])
      expect(text).toContain(line);
    abort.abort();
    await running;
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });

  it('fails when its port is taken', async () => {
    const { registry } = metrics();
    const first = telemetryServer({ log: silent, host: '127.0.0.1', port: 0, registry });
    const abort = new AbortController();
    const running = first.start(abort.signal);
    const port = Number(new URL(await first.listening).port);
    const second = telemetryServer({ log: silent, host: '127.0.0.1', port, registry });
    await expect(second.start(abort.signal)).rejects.toThrow('EADDRINUSE');
    await expect(second.listening).rejects.toThrow('EADDRINUSE');
    abort.abort();
    await running;
  });
});
