import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestDefaults } from '../../src/model/compose-request.ts';
import { findRefusedRequests } from '../../src/rules/find-refused-requests.ts';
import { readRule, ruleText } from './rule-text.ts';

const settings = {
  defaults: requestDefaults({
    arches: ['x86_64'],
    sigkeys: [],
    seconds_to_live: 86_400,
    max_seconds_to_live: 172_800,
    raw_config_urls: { fedora: {} },
    base_module_names: ['platform'],
    extra_target_dirs: { private: '/srv/private' },
    koji_hubs: { brew: 'https://brew.example.org/kojihub', centos: 'https://centos.example.org/kojihub' },
  }),
  repositories: { repoRoots: ['/srv/repos'], repoHosts: ['cdn.example.org'], isLoopbackClient: true },
};

/** What is wrong with a rule that asks for this, as `line:column code`; null where nothing is. */
async function refusalOf(compose: string): Promise<string | null> {
  const text = ruleText('- event: koji.tag', 'group_by: [tag]\n').replace(
    'compose:\n  source: { type: tag, source: f44 }',
    `compose:\n${compose}`,
  );
  const problems = await findRefusedRequests([readRule(text)], [{ file: 'nightly.yaml', text }], settings);
  const [problem] = problems;
  return problem === undefined ? null : `${problem.line}:${problem.column} ${problem.code}`;
}

const tag = '  source: { type: tag, source: f44 }\n';

/** What a rule writes, and what POST says to it. */
const refused: Readonly<Record<string, readonly [compose: string, refusal: string]>> = {
  'a tag of an unknown hub': ['  source: { type: tag, source: "stream:c10s" }', '8:32 request.unknown_hub'],
  'the unknown hub of a tag that the event names': [
    '  source: { type: tag, source: "stream:${tag}" }',
    '8:32 request.unknown_hub',
  ],
  'builds of an unknown hub': [
    '  source: { type: tag, source: f44, builds: ["stream:${events.nvr}"] }',
    '8:45 request.unknown_hub',
  ],
  'names of two hubs': [
    '  source: { type: tag, source: "brew:a", builds: ["centos:x-1-1"] }',
    '8:32 koji.hubs_mixed',
  ],
  'an unknown target directory': [`${tag}  target_dir: secret`, '9:15 request.unknown_target_dir'],
  'a sigkey that is none': [
    '  source: { type: tag, source: f44, sigkeys: ["../x"] }',
    '8:46 request.invalid_name',
  ],
  'a configuration of Pungi that is not there': [
    '  source: { type: raw_config, source: "centos#${tag}" }',
    '8:39 request.unknown_raw_config',
  ],
  'a configuration without a commit': [
    '  source: { type: raw_config, source: fedora }',
    '8:39 request.invalid_source',
  ],
  'a definition of no such name': [
    '  source: { type: definition, source: "Main Compose" }',
    '8:39 request.invalid_source',
  ],
  'a base module': ['  source: { type: module, source: "platform:f44" }', '8:35 request.base_module'],
  'a module without a stream': ['  source: { type: module, source: "a:b:c:d:e" }', '8:35 module.invalid'],
  'a repository of another host': [
    '  source: { type: repo, source: "https://other.example.org/os" }',
    '8:33 repo.not_allowed',
  ],
  'a directory that is not open': ['  source: { type: repo, source: /etc }', '8:33 repo.not_allowed'],
  'a lookaside of another host': [
    `${tag}  lookaside_repos: ["https://other.example.org/os"]`,
    '9:20 repo.not_allowed',
  ],
  'a label that is none': [`${tag}  label: "../x"`, '9:10 request.invalid_name'],
  'a life that is no number': [`${tag}  seconds_to_live: -1`, '9:20 request.invalid_seconds_to_live'],
  'a life longer than any may have': [
    `${tag}  seconds_to_live: 172801`,
    '9:20 request.invalid_seconds_to_live',
  ],
  'half of the module defaults': [
    '  source: { type: module, source: "a:1", module_defaults_url: "https://example.org/d.git" }',
    '8:63 request.module_defaults_incomplete',
  ],
  'no source': ['  source: { type: tag }', '8:3 request.missing_source'],
};

for (const [name, [compose, refusal]] of Object.entries(refused)) {
  test(`a rule that asks for ${name} is refused as POST refuses it`, async () => {
    assert.equal(await refusalOf(compose), refusal);
  });
}

const accepted: Readonly<Record<string, string>> = {
  'a tag of a known hub': '  source: { type: tag, source: "brew:c10s" }',
  'the tag of the event': '  source: { type: tag, source: "${tag}", builds: ["${events.nvr}"] }',
  'a tag of a known hub that the event names': '  source: { type: tag, source: "brew:${tag}" }',
  'modules of the event': '  source: { type: module, source: ["${tag}", "${tag}:f44"] }',
  'a configuration at the commit of the event': '  source: { type: raw_config, source: "fedora#${tag}" }',
  'a definition of the event': '  source: { type: definition, source: "${tag}" }',
  'a definition at the commit of the event': '  source: { type: definition, source: "main#${tag}" }',
  'a definition of parts that the event names':
    '  source: { type: definition, source: "main#${tag} baseos=${tag} appstream=17" }',
  'a repository of the event': '  source: { type: repo, source: "${tag}" }',
  'a variant of the event': '  source: { type: pungi_compose, source: "https://h/${tag}/compose/Server" }',
  'a series of the event': '  source: { type: compose, source: "base-${tag}" }',
  'the longest life': `${tag}  seconds_to_live: 172800`,
  'a known target directory': `${tag}  target_dir: private`,
  'a target directory of the event': `${tag}  target_dir: "\${tag}"`,
  'a directory that is open': '  source: { type: repo, source: /srv/repos/f44 }',
  'module defaults of the event':
    '  source: { type: module, source: "a:1", module_defaults_url: "https://example.org/d.git", module_defaults_commit: "${tag}" }',
};

for (const [name, compose] of Object.entries(accepted)) {
  test(`a rule that asks for ${name} is accepted`, async () => {
    assert.equal(await refusalOf(compose), null);
  });
}
