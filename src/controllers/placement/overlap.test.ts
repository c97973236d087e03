import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AMPLE, aGatedPod, aPlacement } from '../../../test/builders/pods.ts';
import { hasEnded, type PodFacts } from '../../domain/tasks.ts';
import { decide } from './decide.ts';
import type { PlacementPod } from './input.ts';

/**
 * Two operators that both believe to lead, with copies of the world that are as old as it comes, kubelets, machines, a scheduler, a
 * garbage collector and people, in any order. What is true on the machines is kept apart from what the API server shows. The operators
 * write with nothing but the pods' versions to stop them: without the live reads and the lease that stand before every write.
 */

const TASKS = ['a', 'b'];
const NODES = ['n1', 'n2'];

interface Thing {
  pod: PlacementPod;
  /** Containers run on its machine: what nobody can see. */
  alive: boolean;
  /** What its kubelet has reported last. */
  reported: 'nothing' | 'running' | 'over';
  /** The garbage collector has written phase Failed. */
  collected: boolean;
}

type Act = { do: 'place' | 'force' | 'end' | 'unfinalize' | 'note'; uid: string; version: string; generation: string };

class World {
  things = new Map<string, Thing>();
  machines = new Map(NODES.map((node) => [node, 'on' as 'on' | 'off']));
  nodes = new Set(NODES);
  live = 'blue';
  stop: string[] | undefined;
  second = 1;
  made = 0;
  views: PlacementPod[][] = [[], []];
  acts: Act[][] = [[], []];

  /** The most copies of one task that run at once. */
  most = () =>
    Math.max(...TASKS.map((task) => this.all().filter(({ pod, alive }) => alive && pod.task === task).length));
  all = () => [...this.things.values(), ...this.ghosts];
  /** Pods whose objects are gone while their containers run. */
  ghosts: Thing[] = [];

  write(thing: Thing, change: Partial<PlacementPod>): void {
    thing.pod = { ...thing.pod, ...change, version: String(Number(thing.pod.version) + 1) };
    const { leaving, graceless, finalizers } = thing.pod;
    if (!leaving || !graceless || finalizers.length > 0) return;
    this.things.delete(thing.pod.uid);
    if (thing.alive) this.ghosts.push(thing);
  }

  create(task: string): void {
    const number = this.made++;
    // Later ones may come first in the order of UIDs.
    const uid = String((number * 7919) % 1009).padStart(4, '0');
    const pod = aGatedPod({ uid, name: `${task}${number}`, task, created: this.second * 1000 });
    this.things.set(uid, { pod, alive: false, reported: 'nothing', collected: false });
  }

  /** A person, or a controller: an unbound pod goes without a kubelet. */
  remove(thing: Thing, force: boolean): void {
    this.write(thing, { leaving: true, graceless: thing.pod.graceless || force || thing.pod.node === undefined });
  }

  schedule(thing: Thing, node: string): void {
    const { gated, leaving, node: bound } = thing.pod;
    if (gated || leaving || bound !== undefined || this.machines.get(node) === 'off' || !this.nodes.has(node)) return;
    this.write(thing, { node });
  }

  /** What the kubelet of its machine does next, if the machine is on; it works for pods whose Node object is gone too. */
  kubelet(thing: Thing): void {
    const { node, leaving, ended } = thing.pod;
    if (node === undefined || this.machines.get(node) === 'off') return;
    if (leaving && thing.alive) thing.alive = false;
    else if (leaving && thing.reported !== 'over') {
      thing.reported = 'over';
      this.write(thing, {});
    } else if (leaving) this.write(thing, { graceless: true });
    else if (!thing.alive && !ended) {
      thing.alive = true;
      thing.reported = 'running';
      this.write(thing, { started: true });
    }
  }

  /** Its Node is gone: the garbage collector calls it Failed and deletes it by force. */
  collect(thing: Thing): void {
    if (thing.pod.node === undefined || this.nodes.has(thing.pod.node)) return;
    thing.collected = true;
    this.remove(thing, true);
  }

  power(node: string, on: boolean): void {
    this.machines.set(node, on ? 'on' : 'off');
    if (!on) for (const thing of this.all()) if (thing.pod.node === node) thing.alive = false;
    if (on) this.nodes.add(node);
    this.ghosts = this.ghosts.filter(({ alive }) => alive);
  }

  /** A pod as the API server shows it, by the real rule of when it has ended. */
  shown({ pod, reported, collected }: Thing): PlacementPod {
    const facts: PodFacts = {
      metadata: { name: pod.name, ...(pod.leaving && { deletionTimestamp: 'now' }) },
      spec: { containers: [{}], ...(pod.node !== undefined && { nodeName: pod.node }) },
      status: {
        phase: reported === 'over' || collected ? 'Failed' : reported === 'running' ? 'Running' : 'Pending',
        ...(collected &&
          reported !== 'over' && { conditions: [{ type: 'DisruptionTarget', reason: 'DeletionByPodGC' }] }),
        containerStatuses: [
          { state: reported === 'over' ? { terminated: {} } : reported === 'running' ? { running: {} } : {} },
        ],
      },
    };
    return { ...pod, ended: hasEnded(facts, false) };
  }

  observe(operator: number): void {
    this.views[operator] = [...this.things.values()].map((thing) => this.shown(thing));
  }

  /** Upon an old copy of the pods, with what Nodes and cloud say now. */
  decide(operator: number): void {
    const pods = this.views[operator]!.map((pod): PlacementPod => {
      const { node, machine } = pod;
      const nodeMachine = node !== undefined && this.nodes.has(node) ? node : undefined;
      const lost = node !== undefined && (nodeMachine === undefined || this.machines.get(node) === 'off');
      const ids = [machine, nodeMachine].filter((id) => id !== undefined);
      const off = lost && ids.length > 0 && ids.every((id) => this.machines.get(id) === 'off');
      return { ...pod, nodeMachine, lost, off, generation: pod.selected };
    });
    const { place, end, unfinalize, note } = decide(
      aPlacement(pods, { live: this.live, stop: this.stop, pace: AMPLE }),
    );
    const act = (what: Act['do'], { uid, version }: PlacementPod, generation = ''): Act => ({
      do: what,
      uid,
      version,
      generation,
    });
    this.acts[operator] = [
      ...unfinalize.map((pod) => act('unfinalize', pod)),
      ...note.map(({ pod, machine }) => act('note', pod, machine)),
      ...end.map(({ pod, force }) => act(force ? 'force' : 'end', pod)),
      ...place.map(({ pod, generation }) => act('place', pod, generation)),
    ];
  }

  /** The next of what it has decided, however long ago. */
  act(operator: number): void {
    const next = this.acts[operator]!.shift();
    const thing = next && this.things.get(next.uid);
    if (!thing || thing.pod.version !== next.version) return;
    switch (next.do) {
      case 'place':
        // The policy holds even a sleeper to what the Platform says.
        if (this.stop === undefined && next.generation === this.live)
          this.write(thing, { gated: false, labelled: true, selected: next.generation });
        break;
      case 'end':
      case 'force':
        this.remove(thing, next.do === 'force');
        break;
      case 'unfinalize':
        this.write(thing, { finalizers: [] });
        break;
      case 'note':
        this.write(thing, { labelled: true, machine: thing.pod.machine ?? (next.generation || undefined) });
    }
  }
}

type Event = [what: number, which: number, other: number];

/** Something that happens to one of the pods for which it can mean anything. */
const toOne =
  (fits: (thing: Thing) => boolean, act: (world: World, thing: Thing, other: number) => void) =>
  (world: World, which: number, other: number) => {
    const fitting = [...world.things.values()].filter(fits);
    if (fitting.length > 0) act(world, fitting[which % fitting.length]!, other);
  };
const isBound = ({ pod }: Thing) => pod.node !== undefined;

const EVENTS: ((world: World, which: number, other: number) => void)[] = [
  (world, which) => world.create(TASKS[which % TASKS.length]!),
  (world) => {
    world.second++;
  },
  toOne(
    ({ pod }) => !pod.leaving,
    (world, thing) => world.remove(thing, false),
  ),
  toOne(
    ({ pod }) => !pod.graceless,
    (world, thing) => world.remove(thing, true),
  ),
  toOne(
    ({ pod }) => !pod.gated,
    (world, thing, other) => world.schedule(thing, NODES[other % NODES.length]!),
  ),
  toOne(isBound, (world, thing) => world.kubelet(thing)),
  toOne(isBound, (world, thing) => world.kubelet(thing)),
  toOne(isBound, (world, thing) => world.collect(thing)),
  (world, which, other) => world.power(NODES[which % NODES.length]!, other % 2 === 0),
  (world, which) => {
    world.nodes.delete(NODES[which % NODES.length]!);
  },
  (world, which) => {
    world.live = which % 2 === 0 ? 'blue' : 'green';
  },
  (world, which) => {
    world.stop = which % 4 === 0 ? ['always-on'] : undefined;
  },
  (world, which) => world.observe(which % 2),
  (world, which) => world.decide(which % 2),
  (world, which) => world.act(which % 2),
  (world, which) => world.act(which % 2),
  // What a cluster does that works.
  (world, which) => leads(world, which % 2),
  (world, which) => works(world, which),
  (world, which) => works(world, which),
];

/** Every pod comes as far as it can. */
function works(world: World, which: number): void {
  leads(world, which % 2);
  for (const thing of [...world.things.values()]) {
    world.schedule(thing, NODES[which % NODES.length]!);
    for (let step = 0; step < 3; step++) world.kubelet(thing);
  }
}

function leads(world: World, operator: number): void {
  world.observe(operator);
  world.decide(operator);
  while (world.acts[operator]!.length > 0) world.act(operator);
}

const events = fc.array(fc.tuple(fc.nat(EVENTS.length - 1), fc.nat(7), fc.nat(7)), {
  minLength: 20,
  maxLength: 80,
  size: 'max',
});

function played(story: Event[], check: (world: World) => void): World {
  const world = new World();
  for (const task of TASKS) world.create(task);
  for (const [what, which, other] of story) {
    EVENTS[what]!(world, which, other);
    check(world);
  }
  return world;
}

describe('whatever happens, in whatever order', () => {
  it('no task ever runs twice', () => {
    fc.assert(
      fc.property(events, (story) => {
        played(story, (world) => {
          if (world.most() > 1) throw new Error(`two copies run: ${JSON.stringify(world.all(), null, 1)}`);
        });
      }),
      { numRuns: 2000, seed: 5 },
    );
  });

  it('each task of which there is a pod runs once all is well again', () => {
    fc.assert(
      fc.property(events, (story) => {
        const world = played(story, () => {});
        for (const node of NODES) world.power(node, true);
        world.stop = undefined;
        // The controllers make another pod for what has been ended.
        for (let round = 0; round < 40; round++) {
          world.second++;
          for (const task of TASKS)
            if (![...world.things.values()].some(({ pod }) => pod.task === task && !pod.leaving)) world.create(task);
          leads(world, 0);
          for (const [index, thing] of [...world.things.values()].entries()) {
            world.schedule(thing, NODES[index % NODES.length]!);
            world.kubelet(thing);
          }
        }
        const running = TASKS.map((task) => world.all().filter(({ pod, alive }) => alive && pod.task === task));
        expect(running.map((copies) => copies.map(({ pod }) => pod.selected))).toEqual(TASKS.map(() => [world.live]));
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});

describe('a leader that has slept since it decided', () => {
  /** A world with one gated pod of task a, which operator 0 is about to place. */
  const about = (made = 0) => {
    const world = new World();
    world.made = made;
    world.create('a');
    world.observe(0);
    world.decide(0);
    return world;
  };
  /** It wakes, and everything comes as far as it can. */
  const wakes = (world: World) => {
    while (world.acts[0]!.length > 0) world.act(0);
    works(world, 1);
    return world.most();
  };

  it('cannot place a pod beside one that came later', () => {
    const world = about();
    world.second++;
    world.create('a');
    works(world, 1);
    expect(world.most()).toBe(1);
    expect(wakes(world)).toBe(1);
  });

  it('cannot place a pod beside one of the same second, whichever comes first', () => {
    for (let number = 0; number < 20; number++) {
      const world = about(number);
      world.create('a');
      for (let round = 0; round < 3; round++) works(world, 1);
      expect(world.most()).toBe(1);
      expect(wakes(world)).toBe(1);
    }
  });

  it('nor one that wakes just as another decides', () => {
    for (let number = 0; number < 20; number++) {
      const world = about(number);
      world.create('a');
      world.observe(1);
      world.decide(1);
      for (const operator of [0, 1]) while (world.acts[operator]!.length > 0) world.act(operator);
      works(world, 0);
      expect(world.most()).toBe(1);
    }
  });

  it('cannot rely on a machine that was off, when its pod was not being deleted', () => {
    const world = about();
    works(world, 0);
    const [first] = world.all();
    world.power('n1', false);
    world.power('n2', false);
    world.second++;
    world.create('a');
    world.observe(0);
    world.decide(0);
    // Somebody writes to the pod, so that it is not ended, and its machine comes back.
    world.write(first!, {});
    for (const node of NODES) world.power(node, true);
    for (let round = 0; round < 3; round++) world.kubelet(first!);
    expect(first!.alive).toBe(true);
    expect(wakes(world)).toBe(1);
  });
});
