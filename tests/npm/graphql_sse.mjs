// The npm package graphql-sse in its mode of distinct connections: one request and one event stream for each operation.
import { createClient } from 'graphql-sse';
import { subscribing } from './subscribing.mjs';

export function connect({ url, token }) {
  const client = createClient({
    url,
    headers: { authorization: `Bearer ${token}` },
    retryAttempts: 1000,
    retry: () => new Promise((resolve) => setTimeout(resolve, 500)),
  });
  return subscribing(client);
}
