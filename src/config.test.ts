import { describe, expect, it } from '@jest/globals';
import { readConfig, UsageError } from './config.ts';

describe('the configuration', () => {
  it('has defaults for everything', () => {
    expect(readConfig([], {})).toEqual({
      namespace: 'generations-system',
      'time-scale': 1,
      'metrics-address': { port: 8080 },
      'health-address': { port: 8081 },
      'webhook-address': { port: 9443 },
      'log-level': 'info',
      'log-format': 'json',
      'leader-elect': false,
    });
  });

  it('takes flags before the environment before defaults', () => {
    const env = { GENERATIONS_TIME_SCALE: '60', GENERATIONS_LOG_LEVEL: 'debug', GENERATIONS_LEADER_ELECT: 'true' };
    expect(readConfig(['--time-scale=10', '--metrics-address=127.0.0.1:0'], env)).toMatchObject({
      'time-scale': 10,
      'log-level': 'debug',
      'leader-elect': true,
      'metrics-address': { host: '127.0.0.1', port: 0 },
    });
    expect(readConfig(['--leader-elect'], {})['leader-elect']).toBe(true);
    expect(readConfig([], { GENERATIONS_LEADER_ELECT: 'no' })['leader-elect']).toBe(false);
  });

  it.each<[string[], string]>([
    [['--time-scale=0'], '--time-scale "0" must be above 0'],
    [['--time-scale=fast'], '--time-scale "fast" is not a number'],
    [
      ['--metrics-address=8080'],
      '--metrics-address "8080" is not an address: write host:port or :port, for example :8080',
    ],
    [['--health-address=:70000'], '--health-address ":70000" has a port above 65535'],
    [['--log-level=loud'], '--log-level "loud" Invalid option: expected one of "debug"|"info"|"warn"|"error"'],
  ])('refuses %j by name', (args, message) => expect(() => readConfig(args, {})).toThrow(new UsageError(message)));

  it('names every wrong value at once, from the environment as well', () => {
    expect(() => readConfig(['--log-format=xml'], { GENERATIONS_TIME_SCALE: '-1' })).toThrow(
      /^--time-scale "-1" must be above 0; --log-format "xml" Invalid option/,
    );
  });

  it.each([[['--unknown']], [['--time-scale']], [['surplus']]])('refuses %j as a matter of usage', (args) => {
    expect(() => readConfig(args, {})).toThrow(UsageError);
  });
});
