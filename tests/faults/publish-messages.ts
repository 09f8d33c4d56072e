import { connect } from 'amqplib';
import { setTimeout as pause } from 'node:timers/promises';

const BATCH = 100;
const TOPIC = 'org.fedoraproject.prod.buildsys.tag';

export interface PublishPlan {
  readonly url: string;
  readonly queue: string;
  readonly count: number;
  /** Messages a second; 0 for as fast as the broker confirms. */
  readonly rate: number;
  /** Messages between two confirmations. */
  readonly batch?: number;
  readonly onProgress?: (confirmed: number) => void;
  /** Ends it before `count`, once everything that was sent is confirmed. */
  readonly signal?: AbortSignal;
}

/** The id of message `at`, as UUIDs are. */
export function messageIdAt(at: number): string {
  return `00000000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`;
}

function bodyAt(at: number): Buffer {
  const body = {
    base_url: 'https://koji.example.org',
    build_id: at,
    instance: 'primary',
    name: `package-${at % 500}`,
    owner: 'owner',
    release: `${at}.fc44`,
    tag: 'f44-updates',
    tag_id: 12345,
    user: 'bodhi',
    version: '1.0',
  };
  return Buffer.from(JSON.stringify(body));
}

/**
 * Publishes persistent messages until each is confirmed, over as many connections as it takes. What was not
 * confirmed when a connection ended is published again with the same id, as a careful publisher does. Returns
 * how many were published more than once.
 */
export async function publishMessages(plan: PublishPlan): Promise<number> {
  const batchSize = plan.batch ?? BATCH;
  const confirmed = new Set<number>();
  let sent = 0;
  let again = 0;
  // Sent without a confirmation when a connection ended, and to be sent again.
  let pending: number[] = [];
  const isOver = (): boolean =>
    confirmed.size >= plan.count || (plan.signal?.aborted === true && pending.length === 0);
  while (!isOver()) {
    try {
      const model = await connect(`${plan.url}/?heartbeat=5`);
      const ended = new Promise<never>((_resolve, reject) => {
        model.on('error', reject);
        model.on('close', () => reject(new Error('closed')));
      });
      ended.catch(() => undefined);
      const channel = await model.createConfirmChannel();
      channel.on('error', () => undefined);
      await channel.assertQueue(plan.queue, { durable: true });
      await channel.bindQueue(plan.queue, 'amq.topic', '#');
      again += pending.length;
      while (!isOver()) {
        const batch = pending.slice(0, batchSize);
        const most = plan.signal?.aborted === true ? sent : plan.count;
        while (batch.length < batchSize && sent < most) batch.push(sent++);
        pending = [...new Set([...batch, ...pending])];
        for (const at of batch) {
          channel.publish('amq.topic', TOPIC, bodyAt(at), {
            messageId: messageIdAt(at),
            contentType: 'application/json',
            contentEncoding: 'utf-8',
            deliveryMode: 2,
            headers: {
              fedora_messaging_schema: 'koji_fedoramessaging.tag.TagV1',
              fedora_messaging_severity: 20,
              'sent-at': new Date().toISOString(),
            },
          });
        }
        await Promise.race([channel.waitForConfirms(), ended]);
        for (const at of batch) confirmed.add(at);
        pending = pending.filter((at) => !confirmed.has(at));
        plan.onProgress?.(confirmed.size);
        if (plan.rate > 0) await pause((batchSize / plan.rate) * 1000);
      }
      await model.close();
    } catch {
      await pause(50);
    }
  }
  return again;
}
