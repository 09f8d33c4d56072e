import { randomUUID } from 'node:crypto';
import type { StateHub } from '../upstream/koji/state-hub.ts';

/** A message that is to be put on the bus. */
export interface SimulatedMessage {
  readonly topic: string;
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string | number | boolean>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How busy a distribution is. Rates are of a day unless they say otherwise. */
export interface DistributionRates {
  readonly packages: number;
  readonly builds: number;
  readonly sideTags: number;
  /** Updates of one push; there are pushes every six hours. */
  readonly pushedUpdates: number;
  /** Builds of a mass rebuild, spread over `massRebuildHours` from the beginning. */
  readonly massRebuild: number;
  readonly massRebuildHours: number;
  /** Messages of one storm of repeated and foreign ones; there is one in the second hour of each day. */
  readonly storm: number;
  readonly modules: number;
}

/** Fedora's: tens of thousands of tag messages a day. */
export const fedoraRates: DistributionRates = {
  packages: 25_000,
  builds: 3_000,
  sideTags: 70,
  pushedUpdates: 300,
  massRebuild: 22_000,
  massRebuildHours: 48,
  storm: 5_000,
  modules: 40,
};

const MINUTES_OF_DAY = 1440;
const RELEASES = [42, 43, 44, 45] as const;
const SIDE_TAG_MINUTES = 600;
/** The minute of each day from which on the bus loses everything. */
const LOSING_FROM = 70;
const LOSING_MINUTES = 10;

/** Returns the releases of the distribution, oldest first; the last is the one that is developed. */
export function listReleases(): readonly number[] {
  return RELEASES;
}

/** Returns its tags, those first that people follow. */
export function listTags(): readonly string[] {
  const kinds = ['-updates', '', '-updates-testing', '-updates-candidate', '-override', '-build'];
  return kinds.flatMap((kind) => RELEASES.map((release) => `f${release}${kind}`));
}

interface SideTag {
  readonly name: string;
  readonly release: number;
  readonly endsAt: number;
  readonly builds: string[];
}

/**
 * The life of a distribution, minute by minute, the same for the same seed: builds with the rhythm of a day, updates that are
 * pushed at once, side tags that come and go, a mass rebuild, storms, and messages that are lost. What it does it does to a hub.
 */
export class Distribution {
  readonly #hub: StateHub;
  readonly #rates: DistributionRates;
  readonly #candidates = new Map<number, string[]>(RELEASES.map((release) => [release, []]));
  readonly #sideTags: SideTag[] = [];
  readonly #rebuilt: string[] = [];
  #messages: SimulatedMessage[] = [];
  #lastTold: SimulatedMessage | undefined;
  #isLosing = false;
  #serial = 0;
  #advisory = 0;
  #state: number;
  #lost = 0;
  #sideTagsMade = 0;

  constructor(hub: StateHub, rates: DistributionRates, seed = 1) {
    this.#hub = hub;
    this.#rates = rates;
    this.#state = seed;
    for (const release of RELEASES) {
      hub.addTag(`f${release}`);
      hub.addTag(`f${release}-updates`, { parents: [`f${release}`] });
      hub.addTag(`f${release}-updates-testing`, { parents: [`f${release}-updates`] });
      hub.addTag(`f${release}-updates-candidate`);
      hub.addTag(`f${release}-override`, { parents: [`f${release}-updates`] });
      hub.addTag(`f${release}-build`, { parents: [`f${release}-override`] });
    }
    hub.addTag('f45-rebuild');
    hub.messages.onMessage((message) => {
      if (this.#isLosing) this.#lost += 1;
      else this.#messages.push(message);
    });
  }

  /** What was never told. */
  get lost(): number {
    return this.#lost;
  }

  get sideTagsMade(): number {
    return this.#sideTagsMade;
  }

  /** Lives one minute, the first being 0; returns what the bus is told of it. */
  live(minute: number): readonly SimulatedMessage[] {
    const { builds, sideTags, massRebuild, massRebuildHours, modules } = this.#rates;
    const ofDay = minute % MINUTES_OF_DAY;
    // Twice the mean in the middle of the day, hardly any at night.
    const rhythm = 1 - Math.cos((2 * Math.PI * ofDay) / MINUTES_OF_DAY - 0.9);
    this.#isLosing = ofDay >= LOSING_FROM && ofDay < LOSING_FROM + LOSING_MINUTES;
    this.#times((builds / MINUTES_OF_DAY) * rhythm, () => this.#build());
    this.#times((sideTags / MINUTES_OF_DAY) * rhythm, () => this.#openSideTag(minute));
    this.#times(modules / MINUTES_OF_DAY, () => this.#buildModule());
    if (minute < massRebuildHours * 60) {
      this.#times(massRebuild / (massRebuildHours * 60), () => {
        const nvr = this.#newBuild('45');
        this.#hub.tag('f45-rebuild', nvr);
        this.#rebuilt.push(nvr);
      });
    }
    if (minute === massRebuildHours * 60) this.#mergeRebuild();
    for (const tag of this.#sideTags.filter(({ endsAt }) => endsAt === minute)) this.#closeSideTag(tag);
    if (ofDay % 360 === 60) this.#push();
    if (ofDay === 90) this.#storm();
    const messages = this.#messages;
    this.#messages = [];
    this.#lastTold = messages.at(-1) ?? this.#lastTold;
    return messages;
  }

  #random(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }

  #times(mean: number, work: () => void): void {
    const count = Math.floor(mean) + (this.#random() < mean % 1 ? 1 : 0);
    for (let at = 0; at < count; at += 1) work();
  }

  #pick<Value>(values: readonly Value[]): Value | undefined {
    return values[Math.floor(this.#random() * values.length)];
  }

  #newBuild(release: string): string {
    // Some packages are built much oftener than others.
    const index = Math.floor(this.#random() ** 3 * this.#rates.packages);
    const nvr = `package-${index}-1.${(this.#serial += 1)}-1.fc${release}`;
    this.#hub.importBuild(nvr);
    return nvr;
  }

  #build(): void {
    const release = this.#random() < 0.6 ? 45 : (this.#pick(RELEASES) ?? 45);
    const nvr = this.#newBuild(String(release));
    const candidate = `f${release}-updates-candidate`;
    this.#hub.tag(candidate, nvr);
    if (release === 45) this.#hub.move(nvr, { from: candidate, to: 'f45' }, { user: 'bodhi' });
    else this.#candidates.get(release)?.push(nvr);
    this.#noise('bodhi.update.comment');
  }

  #push(): void {
    for (const [release, waiting] of this.#candidates) {
      const share = Math.ceil(this.#rates.pushedUpdates / (RELEASES.length - 1));
      for (const nvr of waiting.splice(0, share)) {
        this.#hub.move(
          nvr,
          { from: `f${release}-updates-candidate`, to: `f${release}-updates` },
          { user: 'bodhi' },
        );
        this.#tellUpdate(release, nvr);
      }
    }
  }

  #tellUpdate(release: number, nvr: string): void {
    const isSecurity = this.#random() < 0.15;
    const alias = `FEDORA-2026-${String((this.#advisory += 1)).padStart(10, '0')}`;
    this.#say('org.fedoraproject.prod.bodhi.update.complete.stable', {
      update: {
        alias,
        builds: [{ nvr }],
        title: nvr,
        type: isSecurity ? 'security' : 'bugfix',
        severity: isSecurity ? 'high' : 'unspecified',
        release: { name: `F${release}` },
        status: 'stable',
        user: { name: 'somebody' },
      },
      agent: 'bodhi',
    });
  }

  #openSideTag(minute: number): void {
    const release = this.#pick(RELEASES) ?? 45;
    const { tag: name } = this.#hub.addSidetag(`f${release}-build`);
    this.#sideTagsMade += 1;
    const builds = Array.from({ length: 2 + Math.floor(this.#random() * 12) }, () =>
      this.#newBuild(String(release)),
    );
    for (const nvr of builds) this.#hub.tag(name, nvr);
    this.#sideTags.push({
      name,
      release,
      builds,
      endsAt: minute + 30 + Math.floor(this.#random() * SIDE_TAG_MINUTES),
    });
  }

  #closeSideTag(tag: SideTag): void {
    const to = tag.release === 45 ? 'f45' : `f${tag.release}-updates-candidate`;
    for (const nvr of tag.builds) this.#hub.move(nvr, { from: tag.name, to }, { user: 'bodhi' });
    this.#hub.removeSidetag(tag.name);
    this.#sideTags.splice(this.#sideTags.indexOf(tag), 1);
  }

  /** All builds of the mass rebuild enter the tag at once. */
  #mergeRebuild(): void {
    for (const nvr of this.#rebuilt.splice(0)) {
      this.#hub.move(nvr, { from: 'f45-rebuild', to: 'f45' }, { user: 'releng' });
    }
  }

  #buildModule(): void {
    const letter = this.#pick(['a', 'b', 'c', 'd', 'e', 'f']) ?? 'a';
    const version = String(20_260_000_000_000 + (this.#serial += 1));
    for (const [state, name] of [
      [1, 'wait'],
      [5, 'ready'],
    ] as const) {
      this.#say('org.fedoraproject.prod.mbs.module.state.change', {
        id: this.#serial,
        name: `module-${letter}${this.#serial % 7}`,
        stream: 'stable',
        version,
        context: 'a5b0195c',
        state,
        state_name: name,
        owner: 'somebody',
      });
    }
  }

  #storm(): void {
    const repeated = this.#messages.at(-1) ?? this.#lastTold;
    for (let at = 0; at < this.#rates.storm; at += 1) {
      if (repeated !== undefined && at % 2 === 0) this.#messages.push(repeated);
      else this.#noise('copr.build.end');
    }
  }

  #noise(topic: string): void {
    this.#say(`org.fedoraproject.prod.${topic}`, { said: this.#serial });
  }

  #say(topic: string, body: Readonly<Record<string, unknown>>): void {
    const message = {
      topic,
      messageId: randomUUID(),
      headers: { fedora_messaging_schema: 'base.message', fedora_messaging_severity: 20 },
      body,
    };
    if (this.#isLosing) this.#lost += 1;
    else this.#messages.push(message);
  }
}
