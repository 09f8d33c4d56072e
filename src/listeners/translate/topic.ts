import type { Bus } from '../../model/event.ts';

const organisations: Readonly<Record<string, string>> = { fedoraproject: 'fedora', centos: 'centos' };

/**
 * A topic without bus and environment prefixes, and whose systems speak. Staging systems are instances of their
 * own (`fedora-stg`), so that no rule for production hears them. Everything on UMB is `brew` but a Koji that
 * calls itself otherwise. Source: messages contract 2.1 and 4.
 */
export function normaliseTopic(bus: Bus, rawTopic: string): { topic: string; instance: string } {
  const dotted = /^org\.([^.]+)\.(prod|stg|dev)\.(.+)$/.exec(rawTopic);
  if (dotted?.[1] !== undefined && dotted[3] !== undefined) {
    const instance = organisations[dotted[1]] ?? dotted[1];
    return { topic: dotted[3], instance: dotted[2] === 'prod' ? instance : `${instance}-${dotted[2]}` };
  }
  const topic = rawTopic
    .replace(/^(?:\/(?:topic|queue)\/|(?:topic|queue):\/\/)/, '')
    .replace(/^Consumer\..*?(?=VirtualTopic\.)/, '')
    .replace(/^VirtualTopic\.(?:eng\.)?/, '');
  if (bus === 'umb') return { topic, instance: topic.startsWith('koji.') ? 'koji' : 'brew' };
  return { topic, instance: bus === 'fedora-messaging' ? 'fedora' : 'local' };
}
