import type { DomainEvent, InputEvent } from '../../src/model/event.ts';

/** A message with the given meaning, as the listeners would store it. */
export function inputEvent(event: DomainEvent, envelope: Partial<InputEvent> = {}): InputEvent {
  return {
    bus: 'webhook',
    messageId: 'message-1',
    topic: event.kind,
    rawTopic: event.kind,
    receivedAt: '2026-03-01T10:00:00.000Z',
    sentAt: null,
    producer: null,
    instance: 'fedora',
    ...envelope,
    event,
  };
}

/** A tag event of Fedora's Koji. */
export function tagEvent(
  fields: Partial<Extract<DomainEvent, { kind: 'koji.tag' | 'koji.untag' }>> = {},
): DomainEvent {
  return {
    kind: 'koji.tag',
    tag: 'f44-updates',
    package: 'openssl',
    nvr: 'openssl-3.5.1-2.fc44',
    side_tag: false,
    ...fields,
  };
}

/** A security update that went stable. */
export function updateEvent(
  fields: Partial<Extract<DomainEvent, { kind: 'bodhi.update' }>> = {},
): DomainEvent {
  return {
    kind: 'bodhi.update',
    phase: 'complete',
    alias: 'FEDORA-2026-1a2b3c4d5e',
    transition: 'stable',
    type: 'security',
    release: 'F44',
    builds: [
      { nvr: 'openssl-3.5.1-2.fc44', package: 'openssl' },
      { nvr: 'curl-8.11.1-3.fc44', package: 'curl' },
    ],
    ...fields,
  };
}
