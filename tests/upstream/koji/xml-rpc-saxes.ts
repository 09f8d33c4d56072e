import { SaxesParser } from 'saxes';
import type { XmlRpcValue } from '../../../src/upstream/koji/xml-rpc-value.ts';

interface Node {
  readonly name: string;
  readonly children: Node[];
  text: string;
}

function readTree(xml: string): Node {
  const top: Node = { name: '', children: [], text: '' };
  const stack = [top];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name }) => {
    const node: Node = { name, children: [], text: '' };
    stack.at(-1)?.children.push(node);
    stack.push(node);
  });
  parser.on('closetag', () => stack.pop());
  parser.on('text', (text) => {
    const node = stack.at(-1);
    if (node !== undefined) node.text += text;
  });
  parser.write(xml).close();
  return top;
}

function child(node: Node | undefined, name: string): Node | undefined {
  return node?.children.find((child) => child.name === name);
}

function readValue(node: Node | undefined): XmlRpcValue {
  const typed = node?.children[0];
  if (typed === undefined) return node?.text ?? '';
  switch (typed.name) {
    case 'nil':
    case 'ex:nil':
      return null;
    case 'boolean':
      return typed.text === '1';
    case 'int':
    case 'i4':
    case 'i8':
    case 'double':
      return Number(typed.text);
    case 'base64':
      return new Uint8Array(Buffer.from(typed.text, 'base64'));
    case 'array':
      return (child(typed, 'data')?.children ?? []).map(readValue);
    case 'struct':
      return Object.fromEntries(
        typed.children.map((member) => [
          child(member, 'name')?.text ?? '',
          readValue(child(member, 'value')),
        ]),
      );
    default:
      return typed.text;
  }
}

/** A slow and simple reading of an answer with a general XML parser; a fault is its struct. */
export function readAnswerWithSaxes(xml: string): XmlRpcValue {
  const response = child(readTree(xml), 'methodResponse');
  const fault = child(response, 'fault');
  return readValue(child(fault ?? child(child(response, 'params'), 'param'), 'value'));
}

/** A call as a server reads it. */
export function readCallWithSaxes(xml: string): {
  readonly method: string;
  readonly params: readonly XmlRpcValue[];
} {
  const call = child(readTree(xml), 'methodCall');
  return {
    method: child(call, 'methodName')?.text ?? '',
    params: (child(call, 'params')?.children ?? []).map((param) => readValue(child(param, 'value'))),
  };
}
