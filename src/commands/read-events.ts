import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReceivedMessage } from '../buses/received-message.ts';
import type { StoredEvent } from '../database/input-events.ts';
import { readRecordedMessage } from '../listeners/recorded-message.ts';
import { rowOfMessage } from '../listeners/stored-row.ts';
import { defaultLimits } from '../listeners/translate/message-body.ts';
import { ReactorError } from '../model/errors.ts';

/** Messages of files, translated as the listeners do; those that nobody translates are counted only. */
export interface ReadEvents {
  readonly events: readonly StoredEvent[];
  readonly untranslated: number;
}

/**
 * Reads recorded messages from files and directories of them, in order of their names. `hubs` are the Koji hubs beside
 * the default one. A message that does not say
 * when it was sent counts as received when the one before was. Throws `message.unreadable`.
 */
export async function readEvents(paths: readonly string[], hubs: ReadonlySet<string>): Promise<ReadEvents> {
  const messages: ReceivedMessage[] = [];
  for (const file of await listFiles(paths)) {
    messages.push(readRecordedMessage(await readFile(file, 'utf8'), file));
  }
  return translateMessages(messages, hubs);
}

/** Translates messages as the listeners do, and returns them in the order in which they were received. */
export function translateMessages(
  messages: readonly ReceivedMessage[],
  hubs: ReadonlySet<string>,
): ReadEvents {
  const events: StoredEvent[] = [];
  let untranslated = 0;
  let last = new Date(0);
  for (const message of messages) {
    const sentAt = message.sentAt === null ? null : new Date(message.sentAt);
    const at = sentAt ?? last;
    last = at;
    const { row, event } = rowOfMessage(message, {
      receivedAt: at,
      limits: defaultLimits,
      isIncomplete: () => false,
      hubs,
      trace: null,
    });
    if (event === null || event.kind === 'other') {
      untranslated += 1;
      continue;
    }
    events.push({
      id: events.length + 1,
      stage: 'match',
      ruleSet: null,
      trace: null,
      input: {
        bus: message.bus,
        messageId: row.message_id,
        topic: row.topic,
        rawTopic: row.raw_topic,
        receivedAt: at.toISOString(),
        sentAt: sentAt?.toISOString() ?? null,
        producer: row.producer ?? null,
        instance: row.instance,
        event,
      },
    });
  }
  events.sort((left, right) =>
    left.input.receivedAt < right.input.receivedAt
      ? -1
      : left.input.receivedAt > right.input.receivedAt
        ? 1
        : left.id - right.id,
  );
  return { events, untranslated };
}

async function listFiles(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      if (!(await stat(path)).isDirectory()) {
        files.push(path);
        continue;
      }
      const names = await readdir(path, { recursive: true });
      files.push(
        ...names
          .filter((name) => name.endsWith('.json') && !name.endsWith('INDEX.json'))
          .sort()
          .map((name) => join(path, name)),
      );
    } catch (cause) {
      throw new ReactorError('message.unreadable', 'There is no such file or directory.', {
        where: path,
        cause,
      });
    }
  }
  return files;
}
