import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commands } from '../../src/commands/command-table.ts';
import { command as composeCommand } from '../../src/commands/compose.ts';
import { runCommand } from './run-command.ts';

for (const [name, { summary, load }] of Object.entries(commands)) {
  test(`${name} says what it, its verbs and its options are for, in lines that fit`, async () => {
    const { command } = await load();
    assert.equal(command.summary.length > 0 && summary.length > 0, true);
    const help = await runCommand(command, ['--help']);
    assert.equal(help.code, 0);
    assert.match(help.out, new RegExp(`^Usage: odcs-reactor ${name}`));
    assert.deepEqual(
      help.out.split('\n').filter((line) => line.length > 115),
      [],
    );
    const parser = command.parser?.();
    for (const subject of parser === undefined ? [] : [parser, ...parser.commands]) {
      assert.ok(subject.description().length > 10, `${name} ${subject.name()}`);
      for (const option of subject.options)
        assert.ok(option.description.length > 3, `${subject.name()} ${option.flags}`);
    }
  });
}

for (const [title, argv, told] of [
  ['no verb', [], /^Usage: odcs-reactor compose/],
  [
    'an unknown verb',
    ['shwo', '1'],
    /unknown command 'shwo'\.\n\(Did you mean show\?\)\nSee: odcs-reactor compose --help/,
  ],
  ['an unknown option', ['list', '--ownr', 'a'], /unknown option '--ownr'\.\n\(Did you mean --owner\?\)/],
  ['a missing argument', ['show'], /missing required argument 'id'/],
  ['too many arguments', ['show', '1', '2'], /too many arguments for 'show'/],
  ['an option without its value', ['list', '--owner'], /option '--owner <user>' argument missing/],
] as const) {
  test(`${title} ends with 2 and says what to do`, async () => {
    const run = await runCommand(composeCommand, argv);
    assert.equal(run.code, 2);
    assert.equal(run.out, '');
    assert.match(run.told, told);
  });
}
