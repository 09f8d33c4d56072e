import type { DomainEvent } from '../../model/event.ts';
import { translateBodhiOverride } from './bodhi-override.ts';
import { isUpdateTopic, translateBodhiUpdate } from './bodhi-update.ts';
import { translateBodhiCompose, translateOdcsCompose, translatePungiCompose } from './compose-state.ts';
import { errataKindOf, translateErrata } from './errata.ts';
import { translateGreenwave, translateResultsdb, translateWaiverdb } from './gate.ts';
import { translateKojiBuild } from './koji-build.ts';
import { translateKojiPackageList } from './koji-package-list.ts';
import { translateKojiRepo } from './koji-repo.ts';
import { translateKojiSign } from './koji-sign.ts';
import { translateKojiTag } from './koji-tag.ts';
import { translateKojiTask } from './koji-task.ts';
import { translateMbsModule } from './mbs-module.ts';
import { defaultLimits, readMessageBody, type MessageLimits } from './message-body.ts';
import type { ReceivedMessage } from '../../buses/received-message.ts';
import { UnusableMessage, type MessageContent, type Translation } from './translation.ts';
import { translateRepoChanged } from './repo-changed.ts';
import { normaliseTopic } from './topic.ts';

type Translator = (content: MessageContent) => DomainEvent;

/** Families whose topic is one word for all of them. Koji on UMB has its own prefix and is looked up below. */
const byTopic = new Map<string, Translator>([
  ['buildsys.tag', translateKojiTag],
  ['buildsys.untag', translateKojiTag],
  ['buildsys.build.state.change', translateKojiBuild],
  ['buildsys.task.state.change', translateKojiTask],
  ['buildsys.repo.init', translateKojiRepo],
  ['buildsys.repo.done', translateKojiRepo],
  ['buildsys.rpm.sign', translateKojiSign],
  ['buildsys.package.list.change', translateKojiPackageList],
  ['mbs.module.state.change', translateMbsModule],
  ['bodhi.buildroot_override.tag', translateBodhiOverride],
  ['bodhi.buildroot_override.untag', translateBodhiOverride],
  ['bodhi.compose.complete', translateBodhiCompose],
  ['pungi.compose.status.change', translatePungiCompose],
  ['pungi.status-change', translatePungiCompose],
  ['odcs.compose.state-changed', translateOdcsCompose],
  ['odcs.state.change', translateOdcsCompose],
  ['greenwave.decision.update', translateGreenwave],
  ['resultsdb.result.new', translateResultsdb],
  ['waiverdb.waiver.new', translateWaiverdb],
  ['repo.changed', translateRepoChanged],
]);

/** Koji's own AMQP 1.0 plugin, whatever its site calls itself: `brew.build.tag`, `koji.build.tag`. */
const byKojiAddress = new Map<string, Translator>([
  ['build.tag', translateKojiTag],
  ['build.untag', translateKojiTag],
  ...['building', 'complete', 'deleted', 'failed', 'canceled'].map((state): [string, Translator] => [
    `build.${state}`,
    translateKojiBuild,
  ]),
  ...['free', 'open', 'closed', 'canceled', 'assigned', 'failed'].map((state): [string, Translator] => [
    `task.${state}`,
    translateKojiTask,
  ]),
  ['repo.init', translateKojiRepo],
  ['repo.done', translateKojiRepo],
  ['sign.rpm', translateKojiSign],
]);

function findTranslator(topic: string): Translator | undefined {
  const direct = byTopic.get(topic);
  if (direct !== undefined) return direct;
  const address = /^(?:brew|koji)\.(.+)$/.exec(topic)?.[1];
  if (address !== undefined) {
    return /^package\.\w+$/.test(address) ? translateKojiPackageList : byKojiAddress.get(address);
  }
  if (isUpdateTopic(topic)) return translateBodhiUpdate;
  return errataKindOf(topic) === undefined ? undefined : translateErrata;
}

/**
 * What a message means. Only its topic decides who reads it: schema headers are wrong whenever a publisher fell
 * back to the generic message. A topic nobody reads is `other`; a message that cannot be used has
 * `poison`, a sentence. Never throws for any input. Source: messages contract 3 and 4, Koji bus 1.
 */
export function translateMessage(
  message: ReceivedMessage,
  limits: MessageLimits = defaultLimits,
): Translation {
  const { topic, ...from } = normaliseTopic(message.bus, message.rawTopic);
  const instance = message.instance ?? from.instance;
  const read = readMessageBody(message.body, message.contentEncoding, limits);
  if ('poison' in read) return { topic, instance, poison: read.poison };
  const translate = findTranslator(topic);
  if (translate === undefined) return { topic, instance, event: { kind: 'other' } };
  try {
    return { topic, instance, event: translate({ topic, body: read.body, headers: message.headers }) };
  } catch (error) {
    if (!(error instanceof UnusableMessage)) throw error;
    return { topic, instance, poison: error.message };
  }
}
