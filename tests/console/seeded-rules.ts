const head = (name: string, owner: string, description: string, mode = 'active'): string =>
  `# yaml-language-server: $schema=../schema/rule.v1.schema.json
version: 1
name: ${name}
owner: ${owner}
description: >-
  ${description}
mode: ${mode}
`;

const securityUpdates = (release: string): string => `${head(
  `container-updates-${release.toLowerCase()}`,
  'container-rebuilds',
  `A security update of ${release} went stable that changes a package of our images.`,
)}
on:
  - event: bodhi.update
    match:
      phase: complete
      transition: stable
      type: security
      release: ${release}

group_by: [release]
settle: 2m
max_wait: 10m
priority: security

series: container-updates-\${release}
compose:
  source:
    type: tag
    source: ${release.toLowerCase()}
    packages: [openssl-libs, libcurl, glibc]
    builds: '\${events.builds[].nvr}'
`;

/** The rules of the seeded console, by file. */
export const seededRules: Readonly<Record<string, string>> = {
  'f44-updates.yaml': `${head('f44-updates', 'rel-eng', 'Follow f44-updates: compose it when a build enters or leaves it.')}
on:
  - event: koji.tag
    match: { tag: f44-updates }
    unless: { user: [oscar] }
  - event: koji.untag
    match: { tag: f44-updates }
  - schedule: '0 5 * * *'

settle: 10m
max_wait: 2h
priority: bulk

series: f44-updates
keep: { last: 10, daily: 14d }
compose:
  source:
    type: tag
    source: f44-updates
  arches: [x86_64, aarch64]
`,
  'container-updates-f44.yaml': securityUpdates('F44'),
  'container-updates-f43.yaml': securityUpdates('F43'),
  'crypto-signed.yaml': `${head('crypto-signed', 'crypto-team', 'Compose the crypto stack once what entered the tag is signed.')}
on:
  - event: koji.tag
    match: { tag: f44-updates, package: [openssl, gnutls, nss] }

settle: 5m
require:
  - koji.builds_signed: { builds: '\${events.nvr}', keys: [6d9f90a6] }
require_within: 1d

series: crypto-f44
compose:
  source:
    type: tag
    source: f44-updates
    packages: [openssl, gnutls, nss]
    sigkeys: [6d9f90a6]
`,
  'base-images.yaml': `${head('base-images', 'container-rebuilds', 'Packages of the base images, whenever the updates change.')}
on:
  - event: compose.state
    match: { system: odcs, state: done, series: f44-updates }

settle: 1m
max_wait: 15m

series: base-images
compose:
  source:
    type: compose
    source: '\${events.id}'
`,
  'module-ready.yaml': `${head('module-ready', 'qa', 'A module build is ready: compose it with the modules it needs, for QA.')}
on:
  - event: mbs.module
    match:
      state: ready
      stream: { not: ['rhel-*', 'private-*'] }

group_by: [name, stream]
settle: 1m
max_wait: 15m

series: module-\${name}-\${stream}
compose:
  source:
    type: module
    source: '\${events.nsvc}'
`,
  'side-tag-ready.yaml': `${head('side-tag-ready', 'python-sig', 'Every package of a rebuild is in its side tag.', 'shadow')}
on:
  - event: koji.tag
    match: { tag: f45-build-side-*, side_tag: true }

group_by: [tag]
settle: 5m

series: side-tag-\${tag}
compose:
  source:
    type: tag
    source: '\${tag}'
    sigkeys: ['']
`,
};
