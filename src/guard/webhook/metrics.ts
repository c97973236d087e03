import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Told what the webhook does. */
export interface WebhookObserver {
  /** `outcome`: allowed, warned, refused, not-ready, unreadable, failed. `seconds`: from the request's last byte to the answer. */
  answered(act: string, outcome: string, seconds: number): void;
  /** A certificate is served; `expiry` in ms since the epoch. */
  serving(expiry: number): void;
}

/** Registers the meters of {@link WebhookObserver}. */
export function webhookMetrics(registry: Registry): WebhookObserver {
  const registers = [registry];
  const requests = new Counter({
    name: 'generations_webhook_requests_total',
    help: 'Admission reviews by act and outcome: allowed, warned, refused, not-ready, unreadable, failed.',
    labelNames: ['act', 'outcome'],
    registers,
  });
  const latency = new Histogram({
    name: 'generations_webhook_request_duration_seconds',
    help: 'Time from the last byte of a review to its answer.',
    labelNames: ['act'],
    // Most need no read and take well below a millisecond; 2 s is where the API server stops waiting.
    buckets: [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.02, 0.1, 0.5, 2],
    registers,
  });
  const expiry = new Gauge({
    name: 'generations_webhook_certificate_expiry_timestamp_seconds',
    help: 'When the certificate that the webhook serves ends, in seconds since the epoch.',
    registers,
  });
  return {
    answered(act, outcome, seconds) {
      requests.inc({ act, outcome });
      latency.observe({ act }, seconds);
    },
    serving: (at) => expiry.set(at / 1000),
  };
}
