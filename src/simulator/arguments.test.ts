import { describe, expect, it } from '@jest/globals';
import { parseArguments } from './arguments.ts';

describe('the command line', () => {
  it('has loopback, any port and real time for defaults', () => {
    expect(parseArguments(['--scenario', 's.yaml'])).toEqual({
      scenario: 's.yaml',
      kubeconfig: undefined,
      host: '127.0.0.1',
      port: 0,
      timeScale: 1,
    });
  });

  it.each([
    [[], '--scenario FILE is missing'],
    [['--scenario', 's', '--host', '0.0.0.0'], '--host 0.0.0.0 is not a loopback address'],
    [['--scenario', 's', '--host', 'example.com'], 'is not a loopback address'],
    [['--scenario', 's', '--port', '70000'], '--port 70000 is not a port'],
    [['--scenario', 's', '--time-scale', '0'], '--time-scale 0 is not a number above 0'],
    [['--scenario', 's', '--speed', '2'], "Unknown option '--speed'"],
  ])('refuses %j', (args, message) => {
    expect(() => parseArguments(args)).toThrow(message);
  });

  it.each(['localhost', '127.0.0.7', '::1'])('takes %s', (host) => {
    expect(parseArguments(['--scenario', 's', '--host', host]).host).toBe(host);
  });
});
