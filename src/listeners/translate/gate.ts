import type { GateEvent } from '../../model/event.ts';
import {
  cleanText,
  flagOf,
  isRecord,
  listOf,
  present,
  recordOf,
  required,
  textOf,
  valueOf,
} from './fields.ts';
import type { MessageContent } from './translation.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Results carry every datum as a list. */
function firstOf(fields: Fields, name: string): string | undefined {
  return cleanText(listOf(fields, name)[0]) ?? textOf(fields, name);
}

/** The subject in any of its forms: two members, an object, or a list of objects. */
function subjectOf(body: Fields): { type: string | undefined; item: string | undefined } {
  const listed = listOf(body, 'subject')[0] ?? valueOf(body, 'subject');
  const old = isRecord(listed) ? listed : {};
  return {
    type: textOf(body, 'subject_type') ?? textOf(old, 'type'),
    item:
      textOf(body, 'subject_identifier') ?? textOf(old, 'item', 'original_spec_nvr', 'productmd.compose.id'),
  };
}

/** `greenwave.decision.update`; the oldest spell it `policies_satisified`. */
export function translateGreenwave({ body }: MessageContent): GateEvent {
  const { type, item } = subjectOf(body);
  return present<GateEvent>({
    kind: 'gate',
    system: 'greenwave',
    subject_type: type,
    subject: item,
    context: textOf(body, 'decision_context'),
    satisfied: required(
      flagOf(body, 'policies_satisfied', 'policies_satisified'),
      'whether policies are satisfied',
    ),
  });
}

/** `resultsdb.result.new`, in the present form (`data`) and the one before (`task`, `result`). */
export function translateResultsdb({ body }: MessageContent): GateEvent {
  const data = recordOf(body, 'data');
  const task = recordOf(body, 'task');
  return present<GateEvent>({
    kind: 'gate',
    system: 'resultsdb',
    subject_type: firstOf(data, 'type') ?? textOf(task, 'type'),
    subject: firstOf(data, 'item') ?? textOf(task, 'item'),
    context: textOf(recordOf(body, 'testcase'), 'name') ?? textOf(task, 'name'),
    outcome: required(textOf(body, 'outcome') ?? textOf(recordOf(body, 'result'), 'outcome'), 'the outcome'),
  });
}

/** `waiverdb.waiver.new`. */
export function translateWaiverdb({ body }: MessageContent): GateEvent {
  const { type, item } = subjectOf(body);
  return present<GateEvent>({
    kind: 'gate',
    system: 'waiverdb',
    subject_type: type,
    subject: item,
    context: textOf(body, 'testcase'),
    satisfied: required(flagOf(body, 'waived'), 'whether it is waived'),
  });
}
