import type { ApiDocument, Operation } from './api-document.ts';
import { PythonTypes, quote } from './python-types.ts';

const head = (
  version: string,
): string => `"""A client of ODCS Reactor ${version}, generated from its OpenAPI document. Python 3.11, nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, cast
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen


class OdcsProblem(Exception):
    """What the service refused: \`code\` is stable."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.body: dict[str, Any] = {}
        try:
            self.body = json.loads(text)
        except ValueError:
            pass
        self.code: str = self.body.get("code", "")
        self.hint: str = self.body.get("hint", "")
        super().__init__(self.body.get("detail", text))
`;

const base = `class OdcsReactor:
    """The service at a URL, asked with a token where one is given."""

    def __init__(self, url: str, *, token: str | None = None, timeout: float = 180) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._timeout = timeout

    def _open(self, method: str, path: str, query: dict[str, Any], headers: dict[str, str | None], body: Any) -> Any:
        given = {key: value for key, value in query.items() if value is not None}
        url = self._url + path + ("?" + urlencode(given) if given else "")
        sent = {key: value for key, value in headers.items() if value is not None}
        if self._token is not None:
            sent["Authorization"] = "Bearer " + self._token
        data = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        try:
            return urlopen(Request(url, data=data, headers=sent, method=method), timeout=self._timeout)
        except HTTPError as error:
            raise OdcsProblem(error.code, error.read().decode(errors="replace")) from None

    def _text(self, method: str, path: str, query: dict[str, Any], headers: dict[str, str | None], body: Any) -> str:
        with self._open(method, path, query, headers, body) as answer:
            return cast(str, answer.read().decode())

    def _stream(self, method: str, path: str, query: dict[str, Any], headers: dict[str, str | None], body: Any) -> Iterator[Any]:
        with self._open(method, path, query, headers, body) as answer:
            event: dict[str, Any] = {}
            for line in answer:
                name, _, value = line.decode().rstrip("\\r\\n").partition(": ")
                if name in ("event", "id"):
                    event[name] = value
                elif name == "data":
                    event["data"] = json.loads(value)
                elif name == "" and "data" in event:
                    yield event
                    event = {}
`;

/** Returns a module of Python with the types of the API and a method for each of its operations. */
export function formatPythonClient({ version, operations, schemas }: ApiDocument): string {
  const types = new PythonTypes(schemas);
  // These declare classes, too.
  const methods = operations.map((operation) => formatMethod(operation, types));
  return `${head(version)}\n\n${types.declarations()}\n\n\n${base}\n${methods.join('\n')}`;
}

function formatMethod(operation: Operation, types: PythonTypes): string {
  const { operationId, summary, parameters, requestBody, method, path } = operation;
  const className = `${operationId.charAt(0).toUpperCase()}${operationId.slice(1)}`;
  const typed = parameters.map(({ name, in: place, required, schema }) => ({
    name,
    place,
    required,
    argument: snakeCase(name),
    type: types.typeOf(schema, className),
  }));
  const body = requestBody?.content['application/json'];
  const bodyType = body === undefined ? null : types.typeOf(body.schema, `${className}Body`);
  const isBodyRequired = requestBody?.required === true;
  const positional = [
    'self',
    ...typed.filter(({ place }) => place === 'path').map(({ argument, type }) => `${argument}: ${type}`),
    ...(bodyType === null ? [] : [isBodyRequired ? `body: ${bodyType}` : `body: ${bodyType} | None = None`]),
  ];
  const named = typed
    .filter(({ place }) => place !== 'path')
    .map(({ argument, type, required }) =>
      required ? `${argument}: ${type}` : `${argument}: ${type} | None = None`,
    );
  const signature = [...positional, ...(named.length === 0 ? [] : ['*', ...named])].join(', ');
  const filled = path.replaceAll(
    /\{(\w+)\}/g,
    (_all, name: string) => `{quote(str(${snakeCase(name)}), safe='')}`,
  );
  const pairs = (place: 'query' | 'header'): string =>
    typed
      .filter((parameter) => parameter.place === place)
      .map(({ name, argument }) => `${quote(name)}: ${argument}`)
      .join(', ');
  const call = `(${quote(method)}, f${quote(filled)}, {${pairs('query')}}, {${pairs('header')}}, ${bodyType === null ? 'None' : 'body'})`;
  const { type, expression } = answerOf(operation, types, className, call);
  return `
    def ${snakeCase(operationId)}(${signature}) -> ${type}:
        """${summary}."""
        return ${expression}
`;
}

function answerOf(
  { responses }: Operation,
  types: PythonTypes,
  className: string,
  call: string,
): { readonly type: string; readonly expression: string } {
  const content = Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1].content ?? {};
  const stream = content['text/event-stream'];
  if (stream !== undefined) {
    const type = `Iterator[${types.typeOf(stream.schema, `${className}Event`)}]`;
    return { type, expression: `cast(${quote(type)}, self._stream${call})` };
  }
  const json = content['application/json'];
  // What may be a text as well is the caller's to read.
  if (json === undefined || Object.hasOwn(content, 'text/plain'))
    return { type: 'str', expression: `self._text${call}` };
  const type = types.typeOf(json.schema, `${className}Answer`);
  return { type, expression: `cast(${quote(type)}, json.loads(self._text${call}))` };
}

function snakeCase(name: string): string {
  return name
    .replaceAll('-', '_')
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
