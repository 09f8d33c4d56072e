import type { DomainEvent, EventBuild } from '../model/event.ts';
import { joinHub, type HubName } from '../model/hub-name.ts';

/**
 * Returns an event as rules see it: of a hub beside the default one, its tags and builds are written with the hub, and
 * it says the hub. A rule that names `f44` so never hears of another hub's `f44`.
 */
export function nameHub(event: DomainEvent, hub: HubName): DomainEvent {
  if (hub === null) return event;
  const join = (name: string): string => joinHub(hub, name);
  switch (event.kind) {
    case 'koji.tag':
    case 'koji.untag':
      return { ...event, hub, tag: join(event.tag), nvr: join(event.nvr) };
    case 'koji.build':
      return { ...event, hub, nvr: join(event.nvr) };
    case 'koji.task':
      return { ...event, hub };
    case 'koji.repo':
    case 'koji.package_list':
      return { ...event, hub, tag: join(event.tag) };
    case 'koji.sign':
      return { ...event, hub, ...(event.nvr === undefined ? {} : { nvr: join(event.nvr) }) };
    case 'mbs.module':
      return { ...event, hub, ...(event.koji_tag === undefined ? {} : { koji_tag: join(event.koji_tag) }) };
    case 'bodhi.update':
      return {
        ...event,
        builds: nameBuilds(event.builds, hub),
        ...(event.dist_tag === undefined ? {} : { dist_tag: join(event.dist_tag) }),
        ...(event.from_side_tag === undefined ? {} : { from_side_tag: join(event.from_side_tag) }),
      };
    case 'bodhi.override':
      return { ...event, nvr: join(event.nvr) };
    case 'errata.status':
    case 'errata.builds':
    case 'errata.signing':
      return event.builds === undefined ? event : { ...event, builds: nameBuilds(event.builds, hub) };
    case 'compose.state':
    case 'gate':
    case 'repo.changed':
    case 'schedule.tick':
    case 'state.swept':
    case 'other':
      return event;
    default:
      return event satisfies never;
  }
}

function nameBuilds(builds: readonly EventBuild[], hub: string): readonly EventBuild[] {
  return builds.map((build) => ({ ...build, nvr: joinHub(hub, build.nvr) }));
}
