// The hub's API by fetch alone, subscriptions as server-sent events. What an operation takes and answers is known from its generated document.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { type OperationDefinitionNode, print } from 'graphql';

/** One of the `errors` that the hub answers with; docs/api-errors.md lists the codes. */
export interface HubError {
  message: string;
  path?: (string | number)[];
  extensions?: { code?: string; fixBy?: 'CUSTOMER' | 'TIME' | 'US'; reference?: string };
}

/** The hub did not do what the operation asked. A refusal of a mutation is no error: it is a member of the answer. */
export class RequestFailed extends Error {
  readonly status: number;
  readonly errors: HubError[];

  constructor(status: number, errors: HubError[]) {
    super(errors.map(({ message }) => message).join(' ') || `The hub answered with status ${status}.`);
    this.status = status;
    this.errors = errors;
  }
}

type Variables = Record<string, unknown>;
type Answer<Result> = { data?: Result | null; errors?: HubError[] };

export class Crosswalk {
  readonly #url: string;
  readonly #token: string;
  readonly #byName: boolean;

  /**
   * `url` is the endpoint, like https://hub.example/graphql; `token` an API token. `byName` names each operation instead of sending
   * its text: for operations that the hub knows, and the only way where it answers trusted documents only.
   */
  constructor(url: string, token: string, { byName = false } = {}) {
    this.#url = url;
    this.#token = token;
    this.#byName = byName;
  }

  /** The data of a query or mutation. Throws RequestFailed. */
  async run<Result, Given extends Variables>(document: TypedDocumentNode<Result, Given>, variables: Given): Promise<Result> {
    const response = await this.#send(document, variables, 'application/json');
    return dataOf(response.status, await answerOf<Result>(response));
  }

  /**
   * Each event of a subscription, as long as the hub has more. After a broken connection it goes on behind the last event,
   * if the operation asks for `cursor` and takes `after`. Throws RequestFailed.
   */
  async *follow<Result extends object, Given extends Variables>(
    document: TypedDocumentNode<Result, Given>,
    variables: Given,
  ): AsyncGenerator<Result, void, undefined> {
    let from = variables;
    for (;;) {
      try {
        for await (const event of this.#events(document, from)) {
          from = { ...from, after: cursorOf(event) };
          yield event;
        }
        return;
      } catch (error) {
        if (error instanceof RequestFailed) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** One connection's worth of events. Any error but RequestFailed is a broken connection. */
  async *#events<Result, Given extends Variables>(document: TypedDocumentNode<Result, Given>, variables: Given): AsyncGenerator<Result> {
    const response = await this.#send(document, variables, 'text/event-stream');
    if (response.status >= 500) throw new Error('The hub, or what stands before it, is away for a moment.');
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
      throw new RequestFailed(response.status, (await answerOf(response)).errors ?? []);
    }
    for await (const { event, data } of messages(response)) {
      if (event === 'complete') return;
      if (event === 'next') yield dataOf<Result>(response.status, JSON.parse(data));
    }
    throw new Error('The connection ended before the stream did.');
  }

  #send(document: TypedDocumentNode<unknown, never>, variables: Variables, accept: string): Promise<Response> {
    const asked = this.#byName ? { documentId: nameOf(document) } : { query: print(document) };
    return fetch(this.#url, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', accept },
      body: JSON.stringify({ ...asked, variables }),
    });
  }
}

const RETRY_MS = 1000;

function nameOf(document: TypedDocumentNode<unknown, never>): string | undefined {
  return document.definitions.find((node): node is OperationDefinitionNode => node.kind === 'OperationDefinition')?.name?.value;
}

/** What is not JSON comes from something that stands before the hub; its status is all that is known of it. */
function answerOf<Result>(response: Response): Promise<Answer<Result>> {
  return response.json().catch(() => ({}));
}

function dataOf<Result>(status: number, answer: Answer<Result>): Result {
  if (answer.errors || !answer.data) throw new RequestFailed(status, answer.errors ?? []);
  return answer.data;
}

function cursorOf(event: object): unknown {
  const [told] = Object.values(event);
  return told?.cursor;
}

/** Server-sent events as the hub writes them: one line each for `event` and `data`, then an empty line. */
async function* messages(response: Response): AsyncGenerator<{ event: string; data: string }> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += part.value;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [event, data] = text.slice(0, end).split('\n');
        if (event?.startsWith('event: ')) yield { event: event.slice(7), data: data?.slice(6) ?? '' };
        text = text.slice(end + 2);
      }
    }
  } finally {
    await reader.cancel().catch(() => {}); // whoever stops reading hangs up
  }
}
