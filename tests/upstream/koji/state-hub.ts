import type { XmlRpcValue } from '../../../src/upstream/koji/xml-rpc-value.ts';
import { HubActions, type By } from './hub-state/hub-actions.ts';
import type { HubChange } from './hub-state/hub-change.ts';
import { answerCall } from './hub-state/hub-methods.ts';
import { nvrOf } from './hub-state/hub-rows.ts';
import { HubTables } from './hub-state/hub-tables.ts';
import { HubTransaction, type MessageTime } from './hub-state/hub-transaction.ts';
import { MessageDelivery } from './hub-state/message-delivery.ts';
import { fillWithRecordedState } from './hub-state/recorded-state.ts';
import { TopDirectory } from './hub-state/top-directory.ts';
import { FAULT_OFFLINE, ServedFault, type ServedAnswer, type ServedCall } from './hub-server.ts';

export { STATE_EVENT } from './hub-state/recorded-state.ts';

export interface StateHubOptions {
  /** What it begins with: the state of the recorded composes, or nothing at all. */
  readonly content?: 'recorded' | 'empty';
  /** Where the files of imported builds and signed copies are written; without it the hub writes none. */
  readonly topDir?: string;
  /** Returns the time in seconds; without it `now` is the hub's clock. */
  readonly clock?: () => number;
}

/**
 * A hub with a state of its own that answers and announces as a real one does. Each action is one committed request;
 * `begin` opens a transaction. `answer` is what `startHubServer` takes. Source: Koji contract and bus contract.
 */
export class StateHub extends HubActions {
  readonly tables = new HubTables();
  /** What the hub tells the bus. */
  readonly messages = new MessageDelivery();
  /** Old hubs cannot tell the last change of a tag. */
  tellsLastChange = true;
  /** Seconds of the clock that stamps events, where no other was given. */
  now = 1_795_340_000;
  readonly #files: TopDirectory | null;
  readonly #clock: () => number;
  readonly #onceAnswered = new Map<string, (() => void)[]>();
  #outage: string | null = null;

  constructor(options: StateHubOptions = {}) {
    super();
    this.#clock = options.clock ?? (() => this.now);
    this.#files = options.topDir === undefined ? null : new TopDirectory(options.topDir);
    if (options.content !== 'empty') fillWithRecordedState(this.tables);
  }

  /** Opens a transaction: its events are drawn, and nobody sees them before it is committed. */
  begin(messageTime: MessageTime = 'after commit'): HubTransaction {
    const hub = { tables: this.tables, files: this.#files, now: this.#clock };
    return new HubTransaction(hub, (message) => this.messages.send(message), messageTime);
  }

  protected override perform<Result>(
    by: By,
    work: (change: HubChange) => Result,
  ): { readonly event: number | null; readonly result: Result } {
    const transaction = this.begin();
    const done = transaction.perform(by, work);
    transaction.commit();
    return done;
  }

  /** The NVRs of a package, in the order in which they came into the hub. */
  nvrsOf(packageName: string): readonly string[] {
    const builds = [...this.tables.builds.values()].filter((build) => build.packageName === packageName);
    return builds.map(nvrOf);
  }

  /** Fails every call with an outage from now on. Source: Koji contract 1.2. */
  goOffline(text = 'planned outage until 14:00 UTC'): void {
    this.#outage = text;
  }

  goOnline(): void {
    this.#outage = null;
  }

  /** Does something once the next answer to a method was found, before it is sent. */
  onceAnswered(method: string, work: () => void): void {
    this.#onceAnswered.set(method, [...(this.#onceAnswered.get(method) ?? []), work]);
  }

  readonly answer = (call: ServedCall): ServedAnswer => {
    if (this.#outage !== null) throw new ServedFault(FAULT_OFFLINE, this.#outage);
    const value = this.#valueOf(call);
    const works = this.#onceAnswered.get(call.method) ?? [];
    this.#onceAnswered.delete(call.method);
    for (const work of works) work();
    return { value };
  };

  #valueOf(call: ServedCall): XmlRpcValue {
    if (call.method === 'tagLastChangeEvent' && !this.tellsLastChange) {
      throw new ServedFault(1000, 'Invalid method: tagLastChangeEvent');
    }
    if (call.method === 'getRPMChecksums' && this.#files !== null) return this.#checksums(this.#files, call);
    return answerCall(this.tables, call);
  }

  #checksums(files: TopDirectory, { args }: ServedCall): XmlRpcValue {
    const rpm = this.tables.rpms.get(Number(args[0]));
    const build = this.tables.builds.get(rpm?.buildId ?? 0);
    if (rpm === undefined || build === undefined) {
      throw new ServedFault(1000, `No such rpm: ${String(args[0])}`);
    }
    return files.checksums(build, rpm, [...(this.tables.signatures.get(rpm.id)?.keys() ?? [])]);
  }
}
