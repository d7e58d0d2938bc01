// The npm package graphql-sse in its mode of distinct connections: one request and one event stream for each operation.
import { createClient } from 'graphql-sse';

export function connect({ url, token }) {
  const client = createClient({
    url,
    headers: { authorization: `Bearer ${token}` },
    retryAttempts: 1000,
    retry: () => new Promise((resolve) => setTimeout(resolve, 500)),
  });

  const run = (query, variables) =>
    new Promise((resolve, reject) => {
      client.subscribe({ query, variables }, { next: resolve, error: reject, complete: () => {} });
    });

  // Like graphql-ws, it sends the operation again with the variables as they are then.
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
