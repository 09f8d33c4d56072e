import { createHash } from 'node:crypto';
import { insertNotification } from '../database/announcements.ts';
import { findCompose } from '../database/composes.ts';
import { findDecision, type DecisionRow } from '../database/decisions.ts';
import { transaction, type TransactionContext } from '../database/transaction.ts';
import type { Notification, NotifiedOutcome, Rule, RuleSet } from '../model/rule.ts';

/** What telling a decision needs. */
export interface NotifyContext {
  readonly database: TransactionContext;
  readonly rules: RuleSet;
}

/** What is told where an entry of `notify` does not say `only`. */
const usual: readonly NotifiedOutcome[] = ['composed', 'failed', 'refused', 'rate_limited', 'overdue'];

/** Who hears of an outcome of a rule. Pure. */
function notificationsOf(rule: Rule, outcome: string): readonly Notification[] {
  return rule.notify.filter(({ only }) =>
    (only.length === 0 ? usual : only).some((wanted) => wanted === outcome),
  );
}

/**
 * Sends a decision to those the rule names: puts a message for each bus in the outbox and enqueues a call for each
 * webhook, at once and however often the job is delivered the same messages. `word` stands for the outcome where
 * it is not the decision's own.
 */
export async function notifyDecision(
  context: NotifyContext,
  { decisionId, word }: { readonly decisionId: number; readonly word?: NotifiedOutcome },
): Promise<void> {
  const decision = await findDecision(context.database.kysely, decisionId);
  const rule = context.rules.rules.find(({ name }) => name === decision?.rule);
  if (decision === undefined || rule === undefined) return;
  const outcome = word ?? decision.outcome;
  const wanted = notificationsOf(rule, outcome);
  if (wanted.length === 0) return;
  const compose =
    decision.compose_id === null
      ? undefined
      : await findCompose(context.database.kysely, decision.compose_id);
  const images = compose?.changedImages ?? null;
  const body = {
    ...notificationBody(rule, decision, outcome),
    ...(images === null ? {} : { changed_images: images }),
  };
  await transaction(context.database, async (tx) => {
    for (const { channel, to } of wanted) {
      if (channel === 'bus') {
        const message = { messageId: idOf(`${decision.id} ${outcome} ${to}`), onlyBus: to, body };
        await insertNotification(tx, message);
      } else {
        await tx.send('rule.webhook', { url: to, body });
      }
    }
  });
}

/** What buses and webhooks are told; `id` is the same however often it is told. */
function notificationBody(rule: Rule, decision: DecisionRow, outcome: string) {
  return {
    event: 'rule-decided',
    id: idOf(`${decision.id} ${outcome}`),
    rule: rule.name,
    owner: rule.owner,
    outcome,
    why: decision.why,
    compose_id: decision.compose_id,
    decision_id: decision.id,
    window_id: decision.window_id,
    at: decision.at.toISOString(),
  };
}

/** A name-based UUID of a text, version 8. */
function idOf(text: string): string {
  const hex = createHash('sha256').update(`odcs-reactor:decision:${text}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
