/** What a new rule is for. */
export const ruleNeeds = ['repo', 'tag', 'security', 'side-tag', 'module', 'nightly'] as const;
export type RuleNeed = (typeof ruleNeeds)[number];

/** What somebody says of a new rule. */
export interface RuleWish {
  readonly name: string;
  readonly need: RuleNeed;
  readonly owner: string;
  /** A tag, a pattern of side tags, or the path or URL of a repository; empty where the need has none. */
  readonly source: string;
  /** Names of binary packages; empty means all. */
  readonly packages: readonly string[];
  /** `F44`, of updates. */
  readonly release: string;
}

/** Returns which options a need cannot do without. */
export function neededOptions(need: RuleNeed): readonly ('source' | 'release' | 'package')[] {
  switch (need) {
    case 'repo':
    case 'tag':
    case 'side-tag':
    case 'nightly':
      return ['source'];
    case 'security':
      return ['source', 'release', 'package'];
    case 'module':
      return [];
    default:
      return need satisfies never;
  }
}

/** Returns the text of a rule file: valid, in `shadow`, with what its author may want to change said beside it. */
export function formatRule(wish: RuleWish): string {
  const { name, owner } = wish;
  const { description, lines } = partsOf(wish);
  return `version: 1
name: ${name}
owner: ${quote(owner)} # the group that may pause and trigger it
description: ${description}
mode: shadow # decides and records, composes nothing; active composes

${lines.join('\n')}
`;
}

function partsOf(wish: RuleWish): { readonly description: string; readonly lines: readonly string[] } {
  const { name, need, packages, release } = wish;
  const source = quote(wish.source);
  const chosen = packages.length === 0 ? '' : `, packages: [${packages.map(quote).join(', ')}]`;
  const series = `series: ${name} # the line of composes that it continues`;
  switch (need) {
    case 'repo':
      return {
        description: 'Compose what is needed of a repository whenever it changes.',
        lines: [
          'on: # POST /api/1/events {"topic": "repo.changed", "body": {"repo": …}} tells of a change',
          `  - event: repo.changed\n    match: { repo: ${source} }`,
          ...quiet('1m', '10m'),
          series,
          `compose:\n  source: { type: repo, source: ${source}${chosen} }`,
        ],
      };
    case 'tag':
      return {
        description: 'Compose a Koji tag whenever a build enters or leaves it, or a tag it inherits from.',
        lines: [
          `on:\n  - event: koji.tag\n    match: { feeds: ${source} }`,
          `  - event: koji.untag\n    match: { feeds: ${source} }`,
          ...quiet('10m', '2h'),
          'reconcile: 30m # look at the tag though no message came',
          series,
          `compose:\n  source: { type: tag, source: ${source}${chosen} }`,
        ],
      };
    case 'security':
      return {
        description: 'Compose packages when a security update of one of them went stable.',
        lines: [
          'on:\n  - event: bodhi.update\n    match:',
          `      phase: complete\n      transition: stable\n      type: security\n      release: ${quote(release)}`,
          `      builds[]: { rpms: [${packages.map(quote).join(', ')}] } # names of binary packages`,
          ...quiet('2m', '10m'),
          'reconcile: 15m',
          'priority: security # does not wait for min_interval',
          "require:\n  - koji.builds_signed: { builds: '${events.builds[].nvr}' }",
          series,
          `compose:\n  source:\n    type: tag\n    source: ${source}\n    packages: [${packages.map(quote).join(', ')}]`,
          "    builds: '${events.builds[].nvr}' # the tag may not have them yet",
        ],
      };
    case 'side-tag':
      return {
        description: 'Compose each side tag once nothing is being built for it.',
        lines: [
          `on:\n  - event: koji.tag\n    match: { tag: ${source}, side_tag: true }`,
          'group_by: [tag] # a window, a series and a compose for each',
          ...quiet('5m', '1h'),
          'reconcile: 30m',
          "require:\n  - koji.no_open_builds: { tag: '${tag}' }",
          `series: ${name}-\${tag}`,
          `compose:\n  source: { type: tag, source: '\${tag}', sigkeys: ['']${chosen} } # '' takes unsigned packages`,
        ],
      };
    case 'module':
      return {
        description: 'Compose a module with the modules it needs when its build is ready.',
        lines: [
          'on:\n  - event: mbs.module\n    match: { state: ready }',
          '# The version begins with the platform: contexts of one build belong together, platforms do not.',
          'group_by: [name, stream, version]',
          ...quiet('1m', '15m'),
          `series: ${name}-\${name}-\${stream}`,
          "compose:\n  source: { type: module, source: '${events.nsvc}' }",
        ],
      };
    case 'nightly':
      return {
        description: 'Compose a Koji tag every night, and nothing where nothing changed.',
        lines: [
          'on:\n  - schedule: 0 3 * * * # UTC',
          `${series}`,
          `compose:\n  source: { type: tag, source: ${source}${chosen} }`,
          'unchanged: skip',
          'keep: { last: 7 } # composes that outlive their time',
        ],
      };
    default:
      return need satisfies never;
  }
}

function quiet(settle: string, maxWait: string): readonly string[] {
  return [
    '',
    `settle: ${settle} # decide after this long without another event`,
    `max_wait: ${maxWait} # and never later than this after the first`,
  ];
}

/** A scalar of YAML, whatever is in it. */
function quote(text: string): string {
  return JSON.stringify(text);
}
