import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

/** Those of Node, and what an older Node gets in their place. */
const native = { DisposableStack, AsyncDisposableStack };
Reflect.deleteProperty(globalThis, 'DisposableStack');
Reflect.deleteProperty(globalThis, 'AsyncDisposableStack');
await import(new URL('../../bin/disposable-stacks.mjs', import.meta.url).href);
const own = { DisposableStack, AsyncDisposableStack };

/** Returns what a stack does when it is disposed of, in order, and what it throws then. */
function tellOf(Stack: new () => DisposableStack): readonly unknown[] {
  const told: unknown[] = [];
  const stack = new Stack();
  told.push(stack.use(null), typeof stack.use({ [Symbol.dispose]: () => told.push('used') }));
  told.push(stack.adopt(7, (value) => told.push(`adopted ${value}`)));
  stack.defer(() => {
    throw new Error('first');
  });
  stack.defer(() => {
    throw new Error('second');
  });
  using moved = stack.move();
  told.push(stack.disposed, moved.disposed);
  assert.throws(() => stack.defer(() => undefined), ReferenceError);
  assert.throws(() => new Stack().use(JSON.parse('{}')), TypeError);
  assert.throws(
    () => moved.dispose(),
    (error) => {
      told.push(error instanceof Error && [error.name, 'error' in error && String(error.error)]);
      return true;
    },
  );
  moved.dispose();
  stack.dispose();
  return told;
}

async function tellOfAsync(Stack: new () => AsyncDisposableStack): Promise<readonly unknown[]> {
  const told: unknown[] = [];
  const stack = new Stack();
  stack.use({ [Symbol.dispose]: () => told.push('sync') });
  stack.use({ [Symbol.asyncDispose]: async () => void told.push('async') });
  stack.adopt('kept', async (value) => void told.push(value));
  stack.defer(async () => {
    await new Promise(setImmediate);
    told.push('deferred');
    throw new Error('only');
  });
  await assert.rejects(async () => await stack.disposeAsync(), /only/);
  await stack[Symbol.asyncDispose]();
  return [...told, stack.disposed];
}

test('the stacks of an older Node are others than those of this one', () => {
  assert.notEqual(own.DisposableStack, native.DisposableStack);
  assert.notEqual(own.AsyncDisposableStack, native.AsyncDisposableStack);
});

describe('where Node has no stacks of what is to be disposed of', () => {
  test('one that disposes at once does what that of Node does', () => {
    const told = tellOf(own.DisposableStack);
    assert.deepEqual(told, [
      null,
      'object',
      7,
      true,
      false,
      'adopted 7',
      'used',
      ['SuppressedError', 'Error: first'],
    ]);
    assert.deepEqual(told, tellOf(native.DisposableStack));
  });

  test('one that waits does what that of Node does', async () => {
    const told = await tellOfAsync(own.AsyncDisposableStack);
    assert.deepEqual(told, ['deferred', 'kept', 'async', 'sync', true]);
    assert.deepEqual(told, await tellOfAsync(native.AsyncDisposableStack));
  });
});
