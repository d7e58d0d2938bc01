// The npm package graphql-ws: everything over one WebSocket, protocol graphql-transport-ws.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { subscribing } from './subscribing.mjs';

export function connect({ url, token }) {
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: { authorization: `Bearer ${token}` },
    webSocketImpl: WebSocket, // only Node before 22 needs this; browsers have their own
    shouldRetry: () => true,
    retryAttempts: Infinity,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 500)),
  });
  return subscribing(client);
}
