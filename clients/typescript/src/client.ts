// The hub's API by fetch alone. What an operation takes and answers is known from its generated document.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';

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

export class Crosswalk {
  readonly #url: string;
  readonly #token: string;

  /** `url` is the endpoint, like https://hub.example/graphql; `token` an API token. */
  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** The data of a query or mutation. Throws RequestFailed. */
  async run<Result, Variables>(document: TypedDocumentNode<Result, Variables>, variables: Variables): Promise<Result> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query: print(document), variables }),
    });
    const answer: { data?: Result; errors?: HubError[] } = await response.json();
    if (answer.errors || !answer.data) throw new RequestFailed(response.status, answer.errors ?? []);
    return answer.data;
  }
}
