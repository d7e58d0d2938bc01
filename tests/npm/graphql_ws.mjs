// The npm package graphql-ws: everything over one WebSocket, protocol graphql-transport-ws.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

export function connect({ url, token }) {
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: { authorization: `Bearer ${token}` },
    webSocketImpl: WebSocket, // only Node before 22 needs this; browsers have their own
    shouldRetry: () => true,
    retryAttempts: Infinity,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 500)),
  });

  const run = (query, variables) =>
    new Promise((resolve, reject) => {
      client.subscribe({ query, variables }, { next: resolve, error: reject, complete: () => {} });
    });

  // After a broken connection graphql-ws sends the operation again with the variables as they are then: with the
  // cursor of the last event as `after` nothing is missed and nothing comes twice.
  function follow(query, variables, seen) {
    const from = { ...variables };
    const next = ({ data }) => {
      const [event] = Object.values(data);
      from.after = event.cursor;
      seen(event);
    };
    return client.subscribe({ query, variables: from }, { next, error: console.error, complete: () => {} });
  }

  return { run, follow };
}
