import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a rule that composes as soon as a build is tagged into `bench`; returns the directory of rules. */
export function writeTagRule(directory: string, compose: string, unchanged: 'skip' | 'compose'): string {
  const rules = join(directory, 'rules');
  mkdirSync(rules);
  const rule = `version: 1
name: bench
owner: rel-eng
description: Compose as soon as a build is tagged.
mode: active
on:
  - event: koji.tag
    match: { tag: bench }
settle: 0s
series: bench
unchanged: ${unchanged}
compose: ${compose}
`;
  writeFileSync(join(rules, 'bench.yaml'), rule);
  return rules;
}

/** Sends a service, by its webhook, the event of a build that was tagged; `number` tells builds apart. */
export async function sendTagEvent(url: string, number: number): Promise<void> {
  const build = { build_id: number, name: 'bench', version: '1', release: String(number) };
  const body = { instance: 'primary', tag: 'bench', tag_id: 1, owner: 'releng', user: 'releng', ...build };
  const answer = await fetch(`${url}/api/1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topic: 'org.fedoraproject.prod.buildsys.tag', body }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}
