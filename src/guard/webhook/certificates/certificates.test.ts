import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { waitFor } from '../../../../local/wait.ts';
import { anApiServer } from '../../../../test/builders/index.ts';
import { resource } from '../../../kube/resource.ts';
import { secrets } from '../../../kube/resources.ts';
import { manualClock } from '../../../runtime/clock.ts';
import { silent } from '../../../runtime/logger.ts';
import type { Credentials } from '../server.ts';
import { CONFIGURATION, certificates, SECRET } from './controller.ts';
import { dataOf, decide, expiryOf, materialIn } from './decide.ts';
import { AUTHORITY_LIFE, LEAF_LIFE, makeAuthority, makeLeaf } from './make.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const names = ['generations-webhook.generations-system.svc', '127.0.0.1'];
const namespace = 'generations-system';

async function aMaterial(now = START, hosts = names) {
  const authority = await makeAuthority(now);
  return { bundle: [authority.cert], authorityKey: authority.key, leaf: await makeLeaf(authority, hosts, now) };
}

describe('a certificate', () => {
  it('is good for its names, by an authority that signs for nothing below it', async () => {
    const { bundle, leaf } = await aMaterial();
    const [ca, server] = [new X509Certificate(bundle[0]!), new X509Certificate(leaf.cert)];
    expect(server.checkIssued(ca)).toBe(true);
    expect(server.verify(ca.publicKey)).toBe(true);
    expect([server.checkHost(names[0]!), server.checkIP('127.0.0.1'), server.checkHost('example.com')]).toEqual([
      names[0],
      '127.0.0.1',
      undefined,
    ]);
    expect([ca.ca, server.ca]).toEqual([true, false]);
    expect(expiryOf(leaf.cert)).toBe(START + LEAF_LIFE);
    expect(expiryOf(bundle[0]!)).toBe(START + AUTHORITY_LIFE);
  });

  it('holds for API servers whose clock is hours behind', async () => {
    expect(Date.parse(new X509Certificate((await aMaterial()).leaf.cert).validFrom)).toBeLessThanOrEqual(
      START - 2 * 3_600_000,
    );
  });

  it('survives the Secret', async () => {
    const material = await aMaterial();
    const read = materialIn(dataOf(material));
    expect(read).toMatchObject({ authorityKey: material.authorityKey, leaf: material.leaf });
    expect(read?.bundle.map((pem) => pem.trim())).toEqual(material.bundle.map((pem) => pem.trim()));
  });

  it.each([
    ['is empty', {}],
    ['has lost its leaf', { 'tls.crt': '' }],
    ['has a key that belongs to another certificate', 'foreign'],
    ['is garbage', { 'ca.crt': Buffer.from('not PEM').toString('base64') }],
  ])('is none when the Secret %s', async (what, change) => {
    const data = dataOf(await aMaterial());
    const foreign = change === 'foreign' ? { 'tls.key': dataOf(await aMaterial())['tls.key']! } : change;
    expect(materialIn(what === 'is empty' ? {} : { ...data, ...(foreign as object) })).toBeUndefined();
  });
});

describe('what is made anew', () => {
  const third = (life: number) => Math.ceil(((life + DAY) * 2) / 3) - DAY;

  it('is nothing while two thirds of the life are not over', async () => {
    const material = await aMaterial();
    expect(decide(material, names, START + third(LEAF_LIFE) - 60_000)).toEqual({ what: 'keep' });
    expect(decide(material, names, START + third(LEAF_LIFE) + 60_000)).toMatchObject({ what: 'leaf' });
  });

  it('is the leaf when it has ended', async () => {
    expect(decide(await aMaterial(), names, START + LEAF_LIFE + DAY)).toMatchObject({ what: 'leaf' });
  });

  it('is the leaf when it is not good for a name', async () => {
    const material = await aMaterial(START, [names[0]!]);
    expect(decide(material, names, START)).toEqual({ what: 'leaf', why: 'it is not good for 127.0.0.1' });
    expect(decide(material, [names[0]!], START)).toEqual({ what: 'keep' });
  });

  it('is the leaf when another authority signed it', async () => {
    const material = { ...(await aMaterial()), leaf: (await aMaterial()).leaf };
    expect(decide(material, names, START)).toMatchObject({ what: 'leaf', why: 'another authority signed it' });
  });

  it('is the authority after two thirds of its life; the old one stays trusted while it lasts', async () => {
    const material = await aMaterial();
    const due = START + third(AUTHORITY_LIFE) + DAY;
    expect(decide(material, names, due)).toMatchObject({ what: 'authority', trusted: material.bundle });
    expect(decide(material, names, START + AUTHORITY_LIFE)).toMatchObject({ what: 'authority', trusted: [] });
  });

  it('is everything when there is nothing', () => {
    expect(decide(undefined, names, START)).toMatchObject({ what: 'authority', trusted: [] });
  });
});

describe('the keeper of certificates', () => {
  const configurations = resource('admissionregistration.k8s.io/v1', '', 'validatingwebhookconfigurations', false);
  type Configuration = { webhooks: { clientConfig: { caBundle?: string } }[] };

  /** Two replicas over one API server; `story` has what happened, in order. */
  function aCluster({ configured = true } = {}) {
    const clock = manualClock({ now: START });
    const server = anApiServer(clock.now);
    const story: string[] = [];
    if (configured)
      server.seed(configurations, {
        metadata: { name: CONFIGURATION, uid: 'c', resourceVersion: '1' },
        webhooks: [
          { name: 'a', clientConfig: {} },
          { name: 'b', clientConfig: {} },
        ],
      });
    const bundles = () =>
      (server.read(configurations, CONFIGURATION) as unknown as Configuration).webhooks.map(({ clientConfig }) =>
        Buffer.from(clientConfig.caBundle ?? '', 'base64').toString(),
      );
    const trusted = (cert: string) =>
      bundles().every((bundle) =>
        (bundle.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).some((ca) =>
          new X509Certificate(cert).verify(new X509Certificate(ca).publicKey),
        ),
      );
    const replica = (name: string) => {
      const served: Credentials[] = [];
      const stop = new AbortController();
      const keeper = certificates({
        client: server.client(),
        clock,
        log: silent,
        namespace,
        names,
        serve(credentials) {
          served.push(credentials);
          story.push(`${name} serves, ${configured && trusted(credentials.cert) ? 'trusted' : 'not trusted'}`);
        },
      });
      void keeper.start(stop.signal);
      return { served, stop: () => stop.abort() };
    };
    const until = async (what: () => boolean) => {
      // Keys are made on other threads, in real time.
      await waitFor('the keeper', { limitMs: 10_000, everyMs: 2 }, async () => {
        await clock.advance(1);
        return what() || undefined;
      });
    };
    return { clock, server, story, replica, until, trusted, bundles };
  }

  it('has all replicas serve what the first one made', async () => {
    const { replica, until, trusted, server } = aCluster();
    const [one, two] = [replica('one'), replica('two')];
    await until(() => one.served.length > 0 && two.served.length > 0);
    await until(() => trusted(one.served.at(-1)!.cert));
    expect(one.served.at(-1)).toEqual(two.served.at(-1));
    expect(materialIn(server.read(secrets, `${namespace}/${SECRET}`)?.data)?.leaf).toEqual(one.served.at(-1));
    one.stop();
    two.stop();
  });

  it('renews in time, and serves nothing new before it is trusted', async () => {
    const { clock, server, replica, until, story, trusted } = aCluster();
    const HOUR = 3_600_000;
    // Its renewal is due in an hour.
    const due = START + HOUR - (LEAF_LIFE + DAY) * (2 / 3) + DAY;
    server.seed(secrets, {
      metadata: { name: SECRET, namespace, uid: 's', resourceVersion: '1' },
      data: dataOf(await aMaterial(due)),
    });
    const one = replica('one');
    await until(() => one.served.length === 1 && trusted(one.served[0]!.cert));
    await clock.advance(HOUR - 2 * 60_000);
    expect(one.served).toHaveLength(1);
    await clock.advance(3 * 60_000);
    await until(() => one.served.length === 2);
    expect(one.served[1]).not.toEqual(one.served[0]);
    expect(expiryOf(one.served[1]!.cert)).toBeGreaterThan(START + LEAF_LIFE);
    expect(story).toEqual(['one serves, not trusted', 'one serves, trusted']);
    one.stop();
  });

  it('changes the authority by way of a bundle of both', async () => {
    const { server, replica, until, story, trusted, bundles } = aCluster();
    const old = await aMaterial(START - (AUTHORITY_LIFE * 2) / 3 - DAY);
    const leaf = await makeLeaf({ cert: old.bundle[0]!, key: old.authorityKey }, names, START);
    server.seed(secrets, {
      metadata: { name: SECRET, namespace, uid: 's', resourceVersion: '1' },
      data: dataOf({ ...old, leaf }),
    });
    const one = replica('one');
    await until(() => one.served.length === 1 && trusted(one.served[0]!.cert));
    expect(trusted(leaf.cert)).toBe(true);
    expect(bundles()[0]!.match(/BEGIN/g)).toHaveLength(2);
    const two = replica('two');
    await until(() => two.served.length === 1);
    expect(story.at(-1)).toBe('two serves, trusted');
    expect(two.served[0]).toEqual(one.served[0]);
    one.stop();
    two.stop();
  });

  it('makes the API server trust again when the configuration was installed anew', async () => {
    const { clock, server, replica, until, trusted } = aCluster();
    const one = replica('one');
    await until(() => one.served.length === 1 && trusted(one.served[0]!.cert));
    server.edit(configurations, CONFIGURATION, (object) =>
      Object.assign(object, { webhooks: [{ name: 'a', clientConfig: {} }] }),
    );
    expect(trusted(one.served[0]!.cert)).toBe(false);
    await clock.advance(60_000);
    await until(() => trusted(one.served[0]!.cert));
    expect(one.served).toHaveLength(1);
    one.stop();
  });

  it('serves where no configuration is installed', async () => {
    const { replica, until } = aCluster({ configured: false });
    const one = replica('one');
    await until(() => one.served.length === 1);
    one.stop();
  });

  it('replaces a Secret that cannot be used', async () => {
    const { server, replica, until } = aCluster();
    server.seed(secrets, {
      metadata: { name: SECRET, namespace, uid: 's', resourceVersion: '1' },
      data: { 'tls.crt': 'AA==' },
    });
    const one = replica('one');
    await until(() => one.served.length === 1);
    expect(materialIn(server.read(secrets, `${namespace}/${SECRET}`)?.data)?.leaf).toEqual(one.served[0]);
    one.stop();
  });
});
