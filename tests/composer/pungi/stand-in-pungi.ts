import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Behaves as Pungi 4.3.6 was recorded to: exit codes, layout, STATUS, logs, what it says of labels. The option
 * `stand_in` of the configuration says how it goes; `stand_in_errors` are the entries of its log then, `stand_in_id` is
 * what a tracking service calls the compose.
 */
const pungi = String.raw`
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const given = {};
for (const word of process.argv.slice(2)) {
  const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/.exec(word);
  (given[name] ??= []).push(value ?? true);
}
const refuse = (code, text) => { process.stderr.write(text + '\n'); process.exit(code); };
const config = JSON.parse(fs.readFileSync(given.config[0], 'utf8'));
const type = ['test', 'ci', 'nightly', 'production', 'development'].find((one) => given[one]);
if (given.label && !/^[A-Za-z]+-\d+\.\d+$/.test(given.label[0])) refuse(2, 'pungi-koji: error: Label in unknown format: ' + given.label[0]);
if (type === 'production' && !given.label && !given['no-label']) refuse(2, 'pungi-koji: error: must specify label for a production compose');
const top = given['compose-dir'][0];
const write = (name, text) => {
  fs.mkdirSync(path.dirname(path.join(top, name)), { recursive: true });
  fs.writeFileSync(path.join(top, name), text);
};
const log = (level, text) => {
  const line = '2026-11-22 10:00:00 [' + level.padEnd(8) + '] ' + text + '\n';
  fs.mkdirSync(path.join(top, 'logs/global'), { recursive: true });
  fs.appendFileSync(path.join(top, 'logs/global/pungi.global.log'), line);
  process.stderr.write(line);
};
if (config.stand_in_id) {
  write('work/global/composeinfo-base.json', JSON.stringify({ payload: { compose: { id: config.stand_in_id } } }));
}
const base = JSON.parse(fs.readFileSync(path.join(top, 'work/global/composeinfo-base.json'), 'utf8'));
write('STATUS', 'STARTED');
log('INFO', 'COMPOSE_ID=' + base.payload.compose.id);
log('INFO', 'Arguments: ' + JSON.stringify(process.argv.slice(2)));
write('logs/global/config-dump.global.log', JSON.stringify(config, null, 4));
const doom = (errors) => {
  for (const entry of errors) log('ERROR', entry);
  log('ERROR', 'Extended traceback in: ' + top + '/logs/global/traceback.global.log');
  log('CRITICAL', 'Compose failed: ' + top);
  write('STATUS', 'DOOMED');
  process.exit(1);
};
const finish = (status) => {
  for (const phase of ['INIT', 'PKGSET', 'GATHER', 'CREATEREPO']) {
    log('INFO', '[BEGIN] ---------- PHASE: ' + phase + ' ----------');
    log('INFO', '[DONE ] ---------- PHASE: ' + phase + ' ----------');
  }
  write('compose/Server/x86_64/os/repodata/repomd.xml', '<repomd/>');
  write('compose/metadata/composeinfo.json', JSON.stringify(base));
  const failed = status === 'FINISHED' ? {} : { Server: { x86_64: ['live-media'] } };
  write('logs/global/deliverables.json', JSON.stringify({ required: {}, failed, attempted: {} }));
  log('INFO', 'Compose finished: ' + top);
  write('STATUS', status);
};
const child = (detached) => {
  const one = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => 0); setInterval(() => 0, 1e6)'], {
    detached, stdio: ['ignore', 'inherit', 'inherit'],
  });
  fs.appendFileSync(path.join(top, 'children'), one.pid + '\n');
};
switch (config.stand_in) {
  case 'doomed': doom(config.stand_in_errors); break;
  case 'incomplete': finish('FINISHED_INCOMPLETE'); break;
  case 'unfinished': process.exit(0); break;
  case 'killed': process.kill(process.pid, 'SIGKILL'); break;
  case 'full':
    doom(['Compose run failed: [Errno 28] No space left on device: ' + top + '/compose/x.rpm']);
    break;
  case 'leaves children': child(false); child(true); finish('FINISHED'); process.exit(0); break;
  case 'hangs':
    process.on('SIGTERM', () => log('INFO', 'Compose is told to end'));
    child(false); child(true);
    log('INFO', '[BEGIN] ---------- PHASE: PKGSET ----------');
    setInterval(() => 0, 1e6);
    break;
  case 'ends in peace':
    process.on('SIGTERM', () => { write('STATUS', 'TERMINATED'); process.exit(1); });
    log('INFO', '[BEGIN] ---------- PHASE: PKGSET ----------');
    setInterval(() => 0, 1e6);
    break;
  case 'without dump': fs.rmSync(path.join(top, 'logs/global/config-dump.global.log')); finish('FINISHED'); break;
  default: finish('FINISHED');
}
`;

const validate = String.raw`
'use strict';
const fs = require('node:fs');
process.stdout.write(JSON.stringify(process.argv.slice(2)) + '\n');
const config = JSON.parse(fs.readFileSync(process.argv.at(-1), 'utf8'));
if (config.stand_in_invalid) {
  process.stderr.write("Failed validation in check_deps: 'yes' is not of type 'boolean'\n");
  process.exit(1);
}
`;

/** Writes the stand-ins of Pungi's programs into a directory; returns their paths. */
export function writeStandIns(folder: string): { readonly pungi: string; readonly validate: string } {
  const directory = join(folder, 'bin');
  mkdirSync(directory);
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, `#!${process.execPath}\n${text}`);
    chmodSync(path, 0o755);
    return path;
  };
  return { pungi: write('pungi-koji', pungi), validate: write('pungi-config-validate', validate) };
}

/** Whether a process runs; one that only waits for its parent to hear of its end does not. */
export function isAlive(id: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${id}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
