import type { DomainEvent } from '../model/event.ts';

/** What an event says, in a few words for people. */
export function eventSentence(event: DomainEvent): string {
  switch (event.kind) {
    case 'koji.tag':
      return `${event.nvr} was tagged ${event.tag}`;
    case 'koji.untag':
      return `${event.nvr} was untagged from ${event.tag}`;
    case 'koji.build':
      return `build ${event.nvr} is ${event.state}`;
    case 'koji.task':
      return `task ${event.task_id} (${event.method}) is ${event.state}`;
    case 'koji.repo':
      return `repository ${event.repo_id} of ${event.tag} is ${event.action}`;
    case 'koji.sign':
      return `${event.nvr ?? event.rpm ?? `build ${event.build_id ?? ''}`} was signed with ${event.sigkey}`;
    case 'koji.package_list':
      return `package ${event.package} in ${event.tag}: ${event.action ?? 'changed'}`;
    case 'mbs.module':
      return `module ${event.nsvc ?? event.id} is ${event.state}`;
    case 'bodhi.update':
      return `update ${event.alias} ${event.phase}${event.transition === undefined ? '' : ` to ${event.transition}`}: ${event.builds.map(({ nvr }) => nvr).join(' ')}`;
    case 'bodhi.override':
      return `override of ${event.nvr}: ${event.action}`;
    case 'errata.status':
    case 'errata.builds':
    case 'errata.signing':
      return `advisory ${event.name ?? event.id}: ${event.to ?? event.action ?? event.kind}`;
    case 'compose.state':
      return `${event.system} compose ${event.id} is ${event.state}`;
    case 'gate':
      return `${event.system} on ${event.subject ?? 'something'}: ${event.outcome ?? (event.satisfied === true ? 'satisfied' : 'not satisfied')}`;
    case 'repo.changed':
      return `repository ${event.repo} changed${event.packages === undefined ? '' : `: ${event.packages.join(' ')}`}`;
    case 'schedule.tick':
      return `schedule of rule ${event.rule}`;
    case 'state.swept':
      return `sweep of rule ${event.rule}: ${event.reason}`;
    case 'other':
      return 'a topic nobody translates';
    default:
      return event satisfies never;
  }
}
