import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { z } from 'zod';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import type { Random } from '../fuzz/random.ts';
import { ask } from './ask.ts';
import type { Answer, AskOptions, Attack, AttackContext, EndedCompose, Harm } from './attack.ts';
import { startHostileUpstream, type HostileUpstream } from './hostile-upstream.ts';
import { processorSecondsOf } from './process-facts.ts';
import { repositoryFiles } from './repository-files.ts';
import { startTarget, tailOf, type Target, type TargetPlace } from './target.ts';
import { Watch, type Finding } from './watch.ts';

const composeSchema = z.object({
  id: z.number(),
  state_name: z.string(),
  state_reason: z.string().nullable(),
});
const endedStates = new Set(['done', 'failed', 'removed']);
const deliberate = new Set([501, 503]);
const RECOVERY_SECONDS = 20;
/** The most one family may take. */
const SHORT_MS = 15_000;
const LONG_MS = 120_000;
const CALM_MS = 60_000;

export interface SiegeOptions {
  readonly attacks: readonly Attack[];
  readonly random: Random;
  readonly isShort: boolean;
  /** When to stop, milliseconds of `Date.now()`. */
  readonly until: number;
  /** PostgreSQL to start services on; null for the embedded database. */
  readonly databaseUrl: string | null;
  /** A service that runs already; null to start one. */
  readonly url: string | null;
  /** The checkout whose service is started; null for this one. */
  readonly checkout: string | null;
  /** Ends it early. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface SiegeResult {
  readonly attacks: number;
  readonly rounds: number;
  readonly findings: readonly Finding[];
}

/** A service under attack with all that belongs to it, from the first attack to the last. */
class Siege {
  readonly #options: SiegeOptions;
  readonly #root = mkdtempSync(join(tmpdir(), 'odcs-attack-'));
  readonly findings: Finding[] = [];
  attacks = 0;
  #upstream: HostileUpstream | undefined;
  #target: Target | undefined;
  #second: Target | undefined;
  #watch: Watch | undefined;
  #attack = 'start';
  #victim = 0;
  #count = 0;

  constructor(options: SiegeOptions) {
    this.#options = options;
  }

  get #url(): string {
    return this.#options.url ?? this.#target?.url ?? '';
  }

  readonly report = (harm: Harm, detail: string): void => {
    const isKnown = this.findings.some(
      (finding) => finding.attack === this.#attack && finding.detail === detail,
    );
    this.findings.push({ harm, attack: this.#attack, detail });
    if (!isKnown) this.#options.say(`${harm.padEnd(12)} ${this.#attack}: ${detail}`);
  };

  async begin(): Promise<void> {
    const good = createDemoRepository(join(this.#root, 'good'));
    await good.add('base', new Date());
    for (const name of ['private', 'work', 'second']) mkdirSync(join(this.#root, name));
    writeFileSync(join(this.#root, 'private/secret.txt'), `${this.#secret}\n`);
    this.#upstream = await startHostileUpstream();
  }

  get #secret(): string {
    return `secret-of-${this.#root.slice(-6)}`;
  }

  async #place(directory: string): Promise<TargetPlace> {
    const { databaseUrl, checkout } = this.#options;
    const upstreamPort = this.#upstream?.port ?? 0;
    if (databaseUrl === null) return { directory, upstreamPort, databaseUrl: null, checkout };
    this.#count += 1;
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    try {
      await client.query(`create database attack_${this.#count}`);
    } finally {
      await client.end();
    }
    const own = new URL(databaseUrl);
    own.pathname = `/attack_${this.#count}`;
    return { directory, upstreamPort, databaseUrl: own.href, checkout };
  }

  /** Starts a fresh service with a published compose, and the watch over both. */
  async #start(): Promise<void> {
    const { url } = this.#options;
    if (url === null) this.#target = await startTarget(await this.#place(this.#root));
    const victim = await this.#compose(new AbortController().signal, this.#goodRequest, 120);
    if (victim?.state !== 'done') {
      throw new Error(
        `the first compose is ${victim?.state ?? 'not there'}: ${victim?.reason ?? this.#tail()}`,
      );
    }
    this.#victim = victim.id;
    // Otherwise hostile repositories might be refused for what is not hostile in them.
    const source = this.#upstream?.serveFiles(repositoryFiles([{ name: 'honest' }]));
    const request = { source: { type: 'repo', source, packages: ['honest'] } };
    const honest = await this.#compose(new AbortController().signal, request, 120);
    if (honest?.state !== 'done') throw new Error(`an honest repository: ${honest?.reason ?? 'no compose'}`);
    // The latest link and the download store of the first compose may still be on their way.
    await pause(500);
    this.#watch = new Watch(
      { url: this.#url, pid: this.#target?.pid ?? null },
      this.#target === undefined ? null : { directory: this.#root, victim: victim.id },
      this.report,
    );
  }

  get #goodRequest(): object {
    return { source: { type: 'repo', source: join(this.#root, 'good'), packages: ['curl'] } };
  }

  #tail(): string {
    return this.#target === undefined ? '' : tailOf({ directory: this.#root });
  }

  /** Runs one family against a service that is well, and looks what came of it. */
  async run(attack: Attack): Promise<void> {
    if (this.#watch === undefined) await this.#start();
    this.#attack = attack.name;
    if (attack.secondSettings !== undefined) {
      this.#second = await startTarget(await this.#place(join(this.#root, 'second')), attack.secondSettings);
    }
    const most = this.#options.isShort ? SHORT_MS : LONG_MS;
    const ends = [this.#options.signal, AbortSignal.timeout(most)];
    const signal = AbortSignal.any([...ends, this.#watch?.begin() ?? AbortSignal.abort()]);
    const directory = mkdtempSync(join(this.#root, 'work/'));
    try {
      await attack.run(this.#context(signal, directory));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    await this.#second?.stop();
    this.#second = undefined;
    // What is still silent now is silent because of this family, not of the next one.
    const calm = { signal: new AbortController().signal, patience: CALM_MS };
    await ask(this.#url, 'GET', '/healthz', calm);
    await this.#settle();
    rmSync(directory, { recursive: true, force: true });
  }

  /** Gives a frozen service time to recover; one that does not, or is gone, is ended: the next attack gets a new one. */
  async #settle(): Promise<void> {
    for (let second = 0; second < RECOVERY_SECONDS && this.#watch?.isFrozen === true; second += 1) {
      await pause(1_000);
    }
    this.#watch?.check();
    if (this.#target === undefined) return;
    const isGone = !this.#target.process.isRunning();
    if (isGone) this.report('frozen', `the service ended: ${this.#tail().slice(-300)}`);
    if (!isGone && this.#watch?.isFrozen !== true) return;
    await this.#watch?.stop();
    this.#watch = undefined;
    await this.#target.kill();
  }

  #context(signal: AbortSignal, directory: string): AttackContext {
    const upstream = this.#upstream;
    if (upstream === undefined) throw new Error('the siege has not begun');
    const pid = this.#target?.pid;
    const { random, isShort } = this.#options;
    return {
      url: this.#url,
      random,
      isShort,
      signal,
      upstream,
      directory,
      goodRepository: join(this.#root, 'good'),
      secret: this.#secret,
      secretFile: join(this.#root, 'private/secret.txt'),
      victim: this.#victim,
      ask: (method, path, options = {}) => this.#ask(signal, method, path, options),
      compose: (request, seconds = 30) => this.#compose(signal, request, seconds),
      count: (attacks = 1) => void (this.attacks += attacks),
      report: this.report,
      processorSeconds: () => (pid === undefined ? null : processorSecondsOf(pid)),
      secondUrl: this.#second?.url ?? '',
    };
  }

  async #ask(signal: AbortSignal, method: string, path: string, options: AskOptions): Promise<Answer | null> {
    this.attacks += 1;
    const answer = await ask(this.#url, method, path, { ...options, signal });
    if (answer !== null && answer.status >= 500 && !deliberate.has(answer.status)) {
      const body = String(options.body ?? '').slice(0, 80);
      this.report('serverErrors', `${method} ${path.slice(0, 80)} ${body} answers ${answer.status}`);
    }
    return answer;
  }

  async #compose(signal: AbortSignal, request: object, seconds: number): Promise<EndedCompose | null> {
    const asked = await this.#ask(signal, 'POST', '/api/1/composes/', { body: JSON.stringify(request) });
    if (asked?.status !== 200) return null;
    let compose = composeSchema.parse(JSON.parse(asked.text));
    const until = Date.now() + seconds * 1000;
    while (!endedStates.has(compose.state_name) && Date.now() < until && !signal.aborted) {
      const wait = Math.max(1, Math.min(10, Math.ceil((until - Date.now()) / 1000)));
      const seen = await ask(this.#url, 'GET', `/api/1/composes/${compose.id}?wait=${wait}`, { signal });
      if (seen?.status === 200) compose = composeSchema.parse(JSON.parse(seen.text));
      else await pause(200);
    }
    if (endedStates.has(compose.state_name)) {
      return { id: compose.id, state: compose.state_name, reason: compose.state_reason ?? '' };
    }
    await ask(this.#url, 'DELETE', `/api/1/composes/${compose.id}`, { signal, patience: 5_000 });
    return null;
  }

  async end(): Promise<void> {
    await this.#watch?.stop();
    await this.#second?.stop();
    await this.#target?.stop();
    await this.#upstream?.stop();
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** Attacks a service in rounds of all families until the time is over, once where it is short. Cleans up. */
export async function besiege(options: SiegeOptions): Promise<SiegeResult> {
  const siege = new Siege(options);
  let rounds = 0;
  try {
    await siege.begin();
    do {
      rounds += 1;
      for (const attack of options.attacks) {
        if (options.signal.aborted || (rounds > 1 && Date.now() >= options.until)) break;
        const before = siege.attacks;
        const start = performance.now();
        await siege.run(attack);
        const seconds = ((performance.now() - start) / 1000).toFixed(0);
        options.say(`${''.padEnd(12)} ${attack.name}: ${siege.attacks - before} attacks in ${seconds} s`);
      }
    } while (!options.isShort && Date.now() < options.until && !options.signal.aborted);
  } finally {
    await siege.end();
  }
  return { attacks: siege.attacks, rounds, findings: siege.findings };
}
